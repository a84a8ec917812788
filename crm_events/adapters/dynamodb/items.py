"""Between items of the tables and the objects of the port."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from crm_events.adapters.dynamodb import payloads
from crm_events.adapters.dynamodb.sizes import MAX_ITEM_BYTES
from crm_events.adapters.dynamodb.tables import stream_item_key
from crm_events.domain.events import EventSource, EventType, NewEvent, StoredEvent
from crm_events.domain.heads import Head, SavedState
from crm_events.domain.identifiers import StreamKey
from crm_events.domain.order import OrderKey

Item = dict[str, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Room for everything in an event's item but its payload, and in a part's but its piece.
_OVERHEAD = 2_000
MAX_INLINE_BYTES = MAX_ITEM_BYTES - _OVERHEAD


def to_microseconds(moment: datetime) -> int:
    """Return epoch microseconds of an aware time, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


# Events that were recorded together, and the heads that wait for them, have the same times.
@lru_cache(maxsize=1_024)
def from_microseconds(value: int) -> datetime:
    """Return the aware UTC time of epoch microseconds."""
    return _EPOCH + timedelta(microseconds=value)


def stream_of(item: Item) -> StreamKey:
    """Return the stream that an item of any table, or of an index, belongs to."""
    entity_name, _, entity_id = item["entity_key"]["S"].partition("#")
    return StreamKey(entity_name, entity_id)


def event_key(stream: StreamKey, position: str) -> Item:
    """Return the key of an event's item."""
    return {"entity_key": {"S": str(stream)}, "event_position": {"S": position}}


@dataclass(frozen=True, slots=True)
class EventItems:
    """An event as items: its own, and the parts of its payload if that lies apart."""

    event: Item
    parts: Sequence[Item] = ()


def event_items(stored: StoredEvent, position: str, packed: bytes, max_inline: int) -> EventItems:
    """Return an event as items; a packed payload above ``max_inline`` bytes lies apart, in as few parts as hold it.

    Parts lie under the name of their content, so writing them twice, for whichever event, does no harm, and they
    mean nothing until an event names them.
    """
    item = event_key(stored.event.stream, position) | _facts_of(stored)
    if len(packed) <= max_inline:
        return EventItems(item | {"payload": {"B": packed}})
    name = f"{stored.event.stream}#{payloads.digest(packed)}"
    pieces = [packed[start : start + MAX_INLINE_BYTES] for start in range(0, len(packed), MAX_INLINE_BYTES)]
    parts = [part_key(name, number) | {"payload": {"B": piece}} for number, piece in enumerate(pieces)]
    return EventItems(item | {"payload_key": {"S": name}, "payload_parts": {"N": str(len(parts))}}, parts)


def part_key(name: str, number: int) -> Item:
    """Return the key of one part of a payload that lies apart."""
    return {"entity_key": {"S": name}, "event_position": {"S": f"{number:04d}"}}


def part_keys(item: Item) -> list[Item]:
    """Return the keys of the parts that an event's item names, in order."""
    if "payload_key" not in item:
        return []
    return [part_key(item["payload_key"]["S"], number) for number in range(int(item["payload_parts"]["N"]))]


def _facts_of(stored: StoredEvent) -> Item:
    event = stored.event
    version = {"N": str(stored.version)}
    facts = {
        "version": version,
        "event_type": {"S": str(event.event_type)},
        "event_source": {"S": str(event.source)},
        "recorded_at": {"N": str(to_microseconds(stored.recorded_at))},
        "delivery_id": {"S": event.delivery_id},
        "delivery_index": {"N": str(event.delivery_index)},
    }
    # Only late events have it: the index of late events holds no others and costs nothing for them.
    return facts | {"late_version": version} if stored.late else facts


def event_of(item: Item, packed: bytes) -> StoredEvent:
    """Make a stored event of its item and its packed payload."""
    order_key, _, event_id = item["event_position"]["S"].partition("#")
    event = NewEvent(
        stream=stream_of(item),
        event_type=EventType(item["event_type"]["S"]),
        order_key=OrderKey.parse(order_key),
        event_id=event_id,
        source=EventSource(item["event_source"]["S"]),
        raw=payloads.unpack(packed),
        delivery_id=item["delivery_id"]["S"],
        delivery_index=int(item["delivery_index"]["N"]),
    )
    recorded_at = from_microseconds(int(item["recorded_at"]["N"]))
    return StoredEvent(event, version_of(item), recorded_at, "late_version" in item)


def version_of(item: Item) -> int:
    """Return the version that an item has."""
    return int(item["version"]["N"])


def head_of(item: Item) -> Head:
    """Make a head of its item."""
    since = item.get("pending_since")
    return Head(
        stream=stream_of(item),
        version=version_of(item),
        newest_position=item["newest_position"]["S"],
        projected_version=int(item["projected"]["N"]),
        published_version=int(item["published"]["N"]),
        dirty="dirty_shard" in item,
        blocked="blocked_shard" in item,
        pending_since=None if since is None else from_microseconds(int(since["N"])),
    )


def state_item(state: SavedState) -> Item:
    """Return a saved state as an item."""
    return stream_item_key(state.stream) | {
        "version": {"N": str(state.version)},
        "newest_position": {"S": state.position},
        "fingerprint": {"S": state.fingerprint},
        "body": {"B": payloads.pack_bytes(state.body)},
    }


def state_of(item: Item) -> SavedState:
    """Make a saved state of its item."""
    return SavedState(
        stream=stream_of(item),
        version=version_of(item),
        position=item["newest_position"]["S"],
        fingerprint=item["fingerprint"]["S"],
        body=payloads.unpack_bytes(item["body"]["B"]),
    )
