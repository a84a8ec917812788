"""The projector: takes streams that have new events, and brings read model and downstream systems up to date."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from crm_events.domain.events import StoredEvent
from crm_events.domain.heads import Head, Watermark
from crm_events.domain.identifiers import StreamKey
from crm_events.folding import FoldBase, FoldedStream, StreamReader, fold_stream, saved_state_of
from crm_events.ports.dead_letters import DeadLetters, StreamFailure
from crm_events.ports.event_store import EventStore, EventStoreUnavailableError
from crm_events.record import dump_state
from crm_mappings.mapping import EntityMapping
from crm_projections.ports.broadcaster import Broadcaster, BroadcasterUnavailableError, Message
from crm_projections.ports.read_model import Document, ReadModel, ReadModelUnavailableError
from crm_projections.services.documents import document_of
from crm_projections.services.messages import change_message
from crm_projections.services.saving import save_everywhere

_log = structlog.get_logger(__name__)
_OUTAGES = (EventStoreUnavailableError, ReadModelUnavailableError)
MappingOf = Callable[[str], EntityMapping | None]


@dataclass(slots=True)
class _Projection:
    """One stream on its way through the projector."""

    folded: FoldedStream
    mapping: EntityMapping | None = None
    document: Document | None = None
    message: Message | None = None
    failure: StreamFailure | None = None
    published: bool = True


@dataclass(frozen=True, slots=True)
class Projected:
    """What one call did, in streams: brought up to date, parked, and left pending."""

    done: int = 0
    parked: int = 0
    pending: int = 0

    def __add__(self, other: "Projected") -> "Projected":
        return Projected(self.done + other.done, self.parked + other.parked, self.pending + other.pending)


@dataclass(frozen=True, slots=True)
class ProjectorPorts:
    """What the projector works with."""

    store: EventStore
    read_model: ReadModel
    broadcaster: Broadcaster
    dead_letters: DeadLetters
    mapping_of: MappingOf


class Projector:
    """Fold, map, save, broadcast, then move the watermarks; a crash anywhere leaves the head pending.

    Safe to run anywhere at any time on any streams: versions decide in the read model, and consumers of messages
    ignore lower versions.
    """

    def __init__(self, ports: ProjectorPorts, saved_state_every: int) -> None:
        self._ports = ports
        self._saved_state_every = saved_state_every
        self._reader = StreamReader(ports.store, use_saved_states=True)

    def project(self, streams: Sequence[StreamKey], now: datetime) -> Projected:
        """Bring streams up to date; blocked ones and those without news are passed over.

        :raises EventStoreUnavailableError: the log is down; the streams stay pending.
        :raises ReadModelUnavailableError: the read model is down; the streams stay pending.
        """
        heads = self._ports.store.heads(list(dict.fromkeys(streams))).values()
        return self._project([head for head in heads if head.is_pending and not head.blocked], now)

    def sweep(self, limit: int, before: datetime, now: datetime) -> Projected:
        """Project streams that have been pending since a time before ``before``, the longest waiting first."""
        return self._project(self._ports.store.pending_streams(limit, before), now)

    def _project(self, heads: Sequence[Head], now: datetime) -> Projected:
        if not heads:
            return Projected()
        try:
            return _Batch(self._ports, self._reader, self._saved_state_every, now).run(heads)
        except _OUTAGES:
            raise
        except Exception as error:  # noqa: BLE001  # whatever one stream does must not hold up the others
            if len(heads) == 1:
                return self._park(heads[0], error, now)
        middle = len(heads) // 2
        return self._project(heads[:middle], now) + self._project(heads[middle:], now)

    def _park(self, head: Head, error: Exception, now: datetime) -> Projected:
        failure = failure_of(head.stream, "projection_failed", error)
        _log.error("stream_parked", stream=str(head.stream), exc_info=error)
        self._ports.dead_letters.report_streams([failure], now)
        self._ports.store.set_blocked([head.stream], blocked=True)
        return Projected(parked=1)


def failure_of(stream: StreamKey, code: str, error: Exception) -> StreamFailure:
    """Put an exception into words for an operator."""
    cause = type(error).__name__
    detail = (
        f"The record could not be projected: {cause}: {error}. Its events are stored, and it keeps its old document."
        " Next: have the cause mended, then retry."
    )
    return StreamFailure(code, detail, stream, cause)


def refusal_of(stream: StreamKey, error: str) -> StreamFailure:
    """Put the refusal of a document into words for an operator."""
    detail = (
        f"The read model refused the document: {error}. The record keeps its old document."
        " Next: correct the value in Salesforce or have the mapping changed, then retry."
    )
    return StreamFailure("document_refused", detail, stream)


@dataclass(slots=True)
class _Batch:
    """One pass of the projector over many streams."""

    ports: ProjectorPorts
    reader: StreamReader
    saved_state_every: int
    now: datetime
    projections: list[_Projection] = field(default_factory=list)

    def run(self, heads: Sequence[Head]) -> Projected:
        read = self.reader.read(heads)
        for head in heads:
            if head.stream in read:
                self._fold(head, *read[head.stream])
        self._save_documents()
        self._broadcast()
        self._park_failed()
        self._move_watermarks()
        parked = sum(p.failure is not None for p in self.projections)
        done = sum(p.failure is None and p.published for p in self.projections)
        return Projected(done, parked, len(heads) - done - parked)

    def _fold(self, head: Head, base: FoldBase, events: Sequence[StoredEvent]) -> None:
        folded = fold_stream(head, base, events)
        mapping = self.ports.mapping_of(head.stream.entity_name)
        projection = _Projection(folded, mapping)
        if mapping is not None:
            projection.document = document_of(mapping, folded, self.now)
        if mapping is not None and projection.document is not None:
            projection.message = change_message(mapping, folded, projection.document)
        self.projections.append(projection)

    def _save_documents(self) -> None:
        by_entity: dict[str, list[_Projection]] = defaultdict(list)
        for projection in self.projections:
            if projection.mapping is not None and projection.document is not None:
                by_entity[projection.mapping.entity].append(projection)
        for projections in by_entity.values():
            self._save_entity(projections)

    def _save_entity(self, projections: Sequence[_Projection]) -> None:
        mapping = projections[0].mapping
        documents = [p.document for p in projections if p.document is not None]
        if mapping is None:
            return
        refused = save_everywhere(self.ports.read_model, mapping, documents, self.now)
        _mark_refused(projections, refused)

    def _broadcast(self) -> None:
        due = [p for p in self.projections if p.message is not None and p.failure is None]
        messages = [p.message for p in due if p.message is not None]
        if not messages:
            return
        try:
            results = self.ports.broadcaster.publish(messages)
        except BroadcasterUnavailableError as error:
            _log.warning("broadcaster_unavailable", error=str(error), messages=len(messages))
            for projection in due:
                projection.published = False
            return
        for projection, result in zip(due, results, strict=True):
            if result.error:
                _log.warning("message_not_taken", message=result.id, error=result.error)
                projection.published = False

    def _park_failed(self) -> None:
        failures = [p.failure for p in self.projections if p.failure is not None]
        if failures:
            self.ports.dead_letters.report_streams(failures, self.now)
            self.ports.store.set_blocked([failure.stream for failure in failures], blocked=True)

    def _move_watermarks(self) -> None:
        moved = [p for p in self.projections if p.failure is None]
        self.ports.store.move_watermarks([_watermark(p) for p in moved])
        done = [p.folded for p in moved if p.published]
        self.ports.dead_letters.resolve_streams([folded.head.stream for folded in done], self.now)
        states = [
            saved_state_of(folded, dump_state(folded.current))
            for folded in done
            if folded.head.version - folded.base_version >= self.saved_state_every
        ]
        if states:
            self.ports.store.save_states(states)


def _watermark(projection: _Projection) -> Watermark:
    head = projection.folded.head
    published = head.version if projection.published else 0
    return Watermark(head.stream, head.version, published, dirty=projection.folded.current.is_dirty)


def _mark_refused(projections: Sequence[_Projection], refused: dict[str, str]) -> None:
    for projection in projections:
        document = projection.document
        if document is not None and document.id in refused:
            projection.failure = refusal_of(projection.folded.head.stream, refused[document.id])
