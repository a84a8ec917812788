"""What log, documents and messages must hold after certain requests, worked out without the service."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import orjson

from crm_events.adapters.sql.event_store import SQLEventStore
from crm_events.cdc import parse_item, split_body
from crm_events.domain.events import NewEvent
from crm_events.domain.identifiers import StreamKey
from crm_events.models import DeadLetter, Delivery, OutcomeCount
from crm_events.ports.event_store import ReadRequest
from crm_events.record import EMPTY, RecordState, fold
from crm_mappings.mapping import SourceRecord
from crm_mappings.registry import mapping_for_source
from crm_projections.adapters.sql.outbox import OutboxBroadcaster
from crm_projections.adapters.sql.read_model import SQLReadModel


@dataclass
class Expectations:
    """The events of all requests that were answered with 202, each once, by stream and place."""

    events: dict[StreamKey, dict[str, NewEvent]] = field(default_factory=lambda: defaultdict(dict))
    lock: Lock = field(default_factory=Lock)

    def add(self, body: bytes) -> None:
        """Expect the events of a request."""
        with self.lock:
            for index, item in enumerate(split_body(body)):
                parsed = parse_item(item, "", index)
                assert not parsed.failures, parsed.failures
                for event in parsed.events:
                    self.events[event.stream].setdefault(event.position, event)

    @property
    def number_of_events(self) -> int:
        return sum(len(events) for events in self.events.values())

    def differences(self, using: str) -> list[str]:
        """Return in words whatever a database holds that it should not, or does not that it should."""
        return [
            *_unsettled(using),
            *self._outcomes(using),
            *(text for stream, events in sorted(self.events.items()) for text in _StreamCheck(stream, events, using)),
        ]

    def _outcomes(self, using: str) -> Iterator[str]:
        counts: dict[str, int] = defaultdict(int)
        for outcome, count in OutcomeCount.objects.using(using).values_list("outcome", "count"):
            counts[outcome] += count
        if counts["recorded"] + counts["late"] != self.number_of_events:
            yield f"{self.number_of_events} events were sent, and counted were {dict(counts)}"


def is_settled(using: str) -> bool:
    """Say whether nothing waits any more."""
    return not list(_unsettled(using))


def _unsettled(using: str) -> Iterator[str]:
    if waiting := Delivery.objects.using(using).filter(status="accepted").count():
        yield f"{waiting} deliveries are not in the log"
    if pending := SQLEventStore(using).pending_streams(10):
        yield f"streams are pending: {pending}"
    for letter in DeadLetter.objects.using(using).all():
        yield f"a dead letter: {letter.code} {letter.detail}"


class _StreamCheck:
    """Compares one stream with what it should be."""

    def __init__(self, stream: StreamKey, events: dict[str, NewEvent], using: str) -> None:
        self.stream = stream
        self.events = [events[position] for position in sorted(events)]
        self.using = using

    def __iter__(self) -> Iterator[str]:
        yield from (f"{self.stream}: {text}" for text in [*self._log(), *self._document_and_message()])

    def _log(self) -> Iterator[str]:
        store = SQLEventStore(self.using)
        stored = store.read([ReadRequest(self.stream)])[self.stream]
        if [one.event.raw for one in stored] != [event.raw for event in self.events]:
            yield f"{len(stored)} events are in the log, {len(self.events)} were sent, or their texts differ"
        if sorted(one.version for one in stored) != list(range(1, len(self.events) + 1)):
            yield f"versions are {sorted(one.version for one in stored)}"
        head = store.heads([self.stream]).get(self.stream)
        if head is None or head.is_pending or head.version != len(self.events):
            yield f"the head is {head}"

    def _document_and_message(self) -> Iterator[str]:
        mapping = mapping_for_source(self.stream.entity_name)
        if mapping is None:
            return
        state = self._state()
        found = SQLReadModel(self.using).get_many(mapping.entity, [self.stream.entity_id]).get(self.stream.entity_id)
        document = found.decode() if found else None
        meta = document.pop("_meta") if document else {}
        told = OutboxBroadcaster(self.using).for_stream(str(self.stream), 1)
        if not (state.fields or state.is_deleted or state.system_modified_ms is not None):
            if document or told:
                yield f"nothing is known, but there is {document} and {told}"
            return
        source = SourceRecord(self.stream.entity_id, state.fields, state.is_deleted, state.system_modified_ms)
        expected: dict[str, Any] = orjson.loads(orjson.dumps(mapping.apply(source).values))
        if document != expected:
            yield f"the document is {document}, not {expected}"
        where = (len(self.events), str(self.events[-1].order_key), state.complete)
        if (meta.get("version"), meta.get("order_key"), meta.get("complete")) != where:
            yield f"the document says {meta}, not {where}"
        if not told or (told[0].detail["data"]["values"], told[0].detail["complete"]) != (expected, state.complete):
            yield f"the last message is {told}"

    def _state(self) -> RecordState:
        state = EMPTY
        for event in self.events:
            state = fold(state, event)
        return state
