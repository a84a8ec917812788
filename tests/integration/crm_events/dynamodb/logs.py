"""A few events in a few streams, and what a log holds of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from string import ascii_letters

from crm_events.domain.events import NewEvent
from crm_events.domain.identifiers import StreamKey
from crm_events.ports.event_store import Appended, EventStore, ReadRequest, StreamAppend
from tests.builders import TIMESTAMP, a_new_event, a_stream

NOW = datetime(2026, 10, 6, 7, 20, 9, 123456, tzinfo=UTC)
KEY = a_stream()


def an_event(second: int = 1, stream: StreamKey = KEY, delivery: str = "d1") -> NewEvent:
    return a_new_event(stream=stream, timestamp=TIMESTAMP + second * 1000, delivery=(delivery, second))


def incompressible(event: NewEvent, size: int) -> NewEvent:
    """Return the event with a payload of about so many bytes even when compressed."""
    letters = Random(event.position).choices(ascii_letters + "0123456789-_", k=size * 4 // 3)  # noqa: S311  # repeatable
    return replace(event, raw=f'"{"".join(letters)}"')


def appending(*events: NewEvent) -> StreamAppend:
    return StreamAppend(events[0].stream, events)


def put(store: EventStore, *events: NewEvent) -> Sequence[Appended]:
    """Append events of one stream."""
    return store.append([appending(*events)], NOW)[0].appended


def put_many(store: EventStore, streams: Sequence[StreamKey], *seconds: int, delivery: str = "d1") -> list[list[int]]:
    """Append an event for each second to each stream, and return the versions they got."""
    appends = [appending(*(an_event(second, key, delivery) for second in seconds)) for key in streams]
    return [[one.version for one in result.appended] for result in store.append(appends, NOW)]


def logged(store: EventStore, stream: StreamKey = KEY) -> list[NewEvent]:
    return [stored.event for stored in store.read([ReadRequest(stream)])[stream]]


def streams(count: int) -> list[StreamKey]:
    return [a_stream(number) for number in range(1, count + 1)]
