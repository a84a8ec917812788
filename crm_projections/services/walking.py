"""Walk every stream that a replay or rebuild is about, fold it from its first event, in bounded batches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from crm_events.domain.errors import InvalidIdError
from crm_events.domain.heads import Head
from crm_events.domain.identifiers import StreamKey
from crm_events.folding import FoldedStream, StreamReader, fold_stream, in_batches
from crm_events.ports.dead_letters import StreamFailure
from crm_events.ports.event_store import EventStore, walk_streams
from crm_mappings.mapping import EntityMapping
from crm_projections.ports.read_model import Document
from crm_projections.services.documents import document_of
from crm_projections.services.projector import failure_of

PAGE = 500
EVENTS_PER_BATCH = 5_000
_EVENTS_MISSING = (
    "The record's events do not add up to its version, however often they were read. It keeps its old document."
    " Next: if it is not being changed right now, its events in the log are damaged."
)


@dataclass(frozen=True, slots=True)
class FoldedBatch:
    """Some streams, folded, and those that could not be."""

    folded: Sequence[FoldedStream]
    failures: Sequence[StreamFailure]

    @property
    def size(self) -> int:
        """Return how many streams there are in all."""
        return len(self.folded) + len(self.failures)

    @property
    def events(self) -> int:
        """Return how many events were folded."""
        return sum(folded.head.version for folded in self.folded)


@dataclass(frozen=True, slots=True)
class Normalized:
    """A folded stream with the document that a mapping makes of it."""

    folded: FoldedStream
    mapping: EntityMapping
    document: Document


class StreamWalker:
    """Fold whole streams from raw events alone; no saved state is used."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._reader = StreamReader(store, use_saved_states=False)

    def pages(self, entity_name: str, cursor: str | None) -> Iterator[tuple[Sequence[Head], str | None]]:
        """Yield an entity's heads from a cursor on, with the cursor behind each page (``None`` at the end)."""
        for page in walk_streams(self._store, entity_name, PAGE, cursor):
            yield page.heads, page.next_cursor

    def count(self, entity_name: str) -> int:
        """Return how many streams an entity has, by walking over their heads."""
        return sum(len(heads) for heads, _ in self.pages(entity_name, None))

    def fold(self, heads: Sequence[Head]) -> Iterator[FoldedBatch]:
        """Fold streams, a bounded number of events at a time."""
        for batch in in_batches(heads, EVENTS_PER_BATCH):
            read = self._reader.read(batch)
            folded, failures = [], []
            for head in batch:
                if head.stream not in read:
                    failures.append(StreamFailure("events_missing", _EVENTS_MISSING, head.stream))
                    continue
                try:
                    folded.append(fold_stream(head, *read[head.stream]))
                except Exception as error:  # noqa: BLE001  # one stream that cannot be folded must not end the walk
                    failures.append(failure_of(head.stream, "projection_failed", error))
            yield FoldedBatch(folded, failures)


def normalize(
    mapping: EntityMapping, streams: Sequence[FoldedStream], now: datetime
) -> tuple[list[Normalized], list[StreamFailure]]:
    """Return what a mapping makes of folded streams, without those of which nothing is known, and what failed."""
    found: list[Normalized] = []
    failures: list[StreamFailure] = []
    for folded in streams:
        try:
            document = document_of(mapping, folded, now)
        except Exception as error:  # noqa: BLE001  # one record that cannot be mapped must not end the walk
            failures.append(failure_of(folded.head.stream, "projection_failed", error))
            continue
        if document is not None:
            found.append(Normalized(folded, mapping, document))
    return found, failures


def stream_of(target: str) -> StreamKey | None:
    """Return the stream that a target such as ``Account#001...`` names, or ``None`` if it names none."""
    if "#" not in target:
        return None
    try:
        return StreamKey.parse(target)
    except InvalidIdError:
        return None
