"""Appending any number of events with few calls."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from crm_events.domain.events import NewEvent
from crm_events.domain.identifiers import StreamKey
from crm_events.ports.event_store import MAX_EVENTS_PER_APPEND, Appended, EventStore, StreamAppend

# Events in one call of the store: enough to spread the cost of a transaction, few enough to hold it only briefly.
EVENTS_PER_CALL = 2_000


def append_events(store: EventStore, events: Sequence[NewEvent], now: datetime) -> dict[int, Appended]:
    """Append events in order of arrival in each stream; return what became of each, by the ``id()`` of the event.

    :raises EventStoreUnavailableError: the log is down; some may have been written, so call again with all of them.
    """
    by_stream: dict[StreamKey, list[NewEvent]] = defaultdict(list)
    for event in events:
        by_stream[event.stream].append(event)
    appended: dict[int, Appended] = {}
    for call in _calls(by_stream):
        results = store.append([StreamAppend(part[0].stream, part) for part in call], now)
        for part, result in zip(call, results, strict=True):
            appended.update((id(event), one) for event, one in zip(part, result.appended, strict=True))
    return appended


def _calls(by_stream: dict[StreamKey, list[NewEvent]]) -> Iterator[list[list[NewEvent]]]:
    """Cut the streams' events into calls: a stream at most once in a call, with as many events as one append takes."""
    waiting = list(by_stream.values())
    while waiting:
        call: list[list[NewEvent]] = []
        rest: list[list[NewEvent]] = []
        size = 0
        for events in waiting:
            if size >= EVENTS_PER_CALL:
                rest.append(events)
                continue
            call.append(events[:MAX_EVENTS_PER_APPEND])
            size += len(call[-1])
            if len(events) > MAX_EVENTS_PER_APPEND:
                rest.append(events[MAX_EVENTS_PER_APPEND:])
        yield call
        waiting = rest
