"""Between rows of the private tables and the objects of the port."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain
from typing import Any

from crm_events.domain.events import EventSource, EventType, NewEvent, StoredEvent
from crm_events.domain.heads import Head
from crm_events.domain.identifiers import StreamKey
from crm_events.domain.order import OrderKey

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Looking a member up by its value is several times faster than calling its class.
_EVENT_TYPES = {str(member): member for member in EventType}
_EVENT_SOURCES = {str(member): member for member in EventSource}
# SQLite takes 32,766 parameters in a statement, PostgreSQL 65,535; the widest list here has four to a row.
ROWS_PER_STATEMENT = 5_000

HEAD_COLUMNS = (
    "s.entity_name, s.entity_id, s.version, s.newest_position, s.projected_version, s.published_version,"
    " s.dirty, s.blocked, s.pending_since"
)
EVENT_COLUMNS = (
    "s.entity_name, s.entity_id, e.position, e.version, e.event_type, e.source, e.late, e.recorded_at,"
    " e.delivery_id, e.delivery_index, e.raw"
)


def to_microseconds(moment: datetime) -> int:
    """Return epoch microseconds of an aware time, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


# Events that were recorded together, and the heads that wait for them, have the same times.
@lru_cache(maxsize=1_024)
def from_microseconds(value: int) -> datetime:
    """Return the aware UTC time of epoch microseconds."""
    return _EPOCH + timedelta(microseconds=value)


def head_of(row: Sequence[Any]) -> Head:
    """Make a head of a row of ``HEAD_COLUMNS``."""
    name, entity_id, version, newest, projected, published, dirty, blocked, pending = row
    return Head(
        stream=StreamKey(name, entity_id),
        version=version,
        newest_position=newest,
        projected_version=projected,
        published_version=published,
        dirty=bool(dirty),
        blocked=bool(blocked),
        pending_since=None if pending is None else from_microseconds(pending),
    )


def event_of(row: Sequence[Any]) -> StoredEvent:
    """Make a stored event of a row of ``EVENT_COLUMNS``."""
    name, entity_id, position, version, event_type, source, late, recorded_at, delivery_id, index, raw = row
    order_key, _, event_id = position.partition("#")
    event = NewEvent(
        stream=StreamKey(name, entity_id),
        event_type=_EVENT_TYPES[event_type],
        order_key=OrderKey.parse(order_key),
        event_id=event_id,
        source=_EVENT_SOURCES[source],
        raw=raw,
        delivery_id=delivery_id,
        delivery_index=index,
    )
    return StoredEvent(event=event, version=version, recorded_at=from_microseconds(recorded_at), late=bool(late))


def chunks(items: Sequence[Any], size: int = ROWS_PER_STATEMENT) -> Iterator[Sequence[Any]]:
    """Cut a list into pieces that fit one statement."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def values_list(rows: Sequence[Sequence[Any]]) -> tuple[str, list[Any]]:
    """Return ``(%s, %s), (%s, %s)`` for the rows, and their parameters."""
    row = f"({', '.join(['%s'] * len(rows[0]))})"
    return ", ".join([row] * len(rows)), list(chain.from_iterable(rows))
