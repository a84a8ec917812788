from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from crm_events.adapters.dynamodb import payloads
from crm_events.adapters.dynamodb.items import (
    MAX_INLINE_BYTES,
    event_items,
    event_key,
    event_of,
    head_of,
    part_keys,
    state_item,
    state_of,
)
from crm_events.adapters.dynamodb.sizes import MAX_ITEM_BYTES, item_size
from crm_events.adapters.dynamodb.tables import shard_of, stream_item_key
from crm_events.domain.events import EventSource, EventType, NewEvent, StoredEvent
from crm_events.domain.heads import Head, SavedState
from crm_events.domain.order import MAX_COMMIT_NUMBER, MAX_COMMIT_TIMESTAMP, MAX_SEQUENCE_NUMBER, OrderKey
from tests.builders import a_new_event, a_stream

NOW = datetime(2026, 10, 6, 7, 20, 9, 123456, tzinfo=UTC)
order_keys = st.builds(
    OrderKey,
    st.integers(0, MAX_COMMIT_TIMESTAMP),
    st.integers(0, MAX_COMMIT_NUMBER),
    st.integers(0, MAX_SEQUENCE_NUMBER),
)
event_ids = st.text("0123456789abcdef", min_size=32, max_size=32)
events = st.builds(
    NewEvent,
    st.integers(1, 999).map(a_stream),
    st.sampled_from(EventType),
    order_keys,
    event_ids,
    st.sampled_from(EventSource),
    st.text(),
    st.text(max_size=32),
    st.integers(0, 10**6),
)


def a_stored_event(late: bool = False) -> StoredEvent:
    return StoredEvent(a_new_event(), 7, NOW, late)


def sort_key(event: NewEvent) -> bytes:
    key: str = event_key(event.stream, event.position)["event_position"]["S"]
    return key.encode()


@given(st.lists(events, min_size=2, max_size=6))
def test_sorts_events_by_bytes_as_they_fold(drawn: list[NewEvent]) -> None:
    by_bytes = sorted(drawn, key=sort_key)
    assert [(e.order_key, e.event_id) for e in by_bytes] == sorted((e.order_key, e.event_id) for e in drawn)


@given(events, st.booleans(), st.integers(1, 10**12))
def test_keeps_every_part_of_an_event(event: NewEvent, late: bool, version: int) -> None:
    stored, packed = StoredEvent(event, version, NOW, late), payloads.pack(event.raw)
    assert event_of(event_items(stored, event.position, packed, MAX_INLINE_BYTES).event, packed) == stored


def test_keeps_a_small_payload_in_the_event_s_own_item() -> None:
    stored = a_stored_event()
    items = event_items(stored, stored.position, b"x" * MAX_INLINE_BYTES, MAX_INLINE_BYTES)
    assert (len(items.event["payload"]["B"]), items.parts) == (MAX_INLINE_BYTES, ())


def test_cuts_a_large_payload_into_parts_that_fit_and_are_named_by_the_event() -> None:
    stored, packed = a_stored_event(), bytes(range(256)) * 4_000
    items = event_items(stored, stored.position, packed, MAX_INLINE_BYTES)
    assert b"".join(part["payload"]["B"] for part in items.parts) == packed
    assert max(map(item_size, items.parts)) <= MAX_ITEM_BYTES
    assert all(part.items() >= key.items() for part, key in zip(items.parts, part_keys(items.event), strict=True))


def test_keeps_an_item_of_the_largest_inline_payload_below_the_limit() -> None:
    stored = a_stored_event(late=True)
    items = event_items(stored, stored.position, b"x" * MAX_INLINE_BYTES, MAX_INLINE_BYTES)
    assert item_size(items.event) <= MAX_ITEM_BYTES


def test_lets_only_late_events_into_the_index_of_late_events() -> None:
    in_time, late = (event_items(a_stored_event(late), "p", b"", 0).event for late in (False, True))
    assert ("late_version" in in_time, late["late_version"]) == (False, {"N": "7"})


def test_reads_a_head_by_what_its_item_has() -> None:
    stream = a_stream()
    item = stream_item_key(stream) | {
        "version": {"N": "3"},
        "newest_position": {"S": "p"},
        "projected": {"N": "2"},
        "published": {"N": "1"},
        "dirty_shard": {"S": "4"},
        "blocked_shard": {"S": "4"},
        "pending_since": {"N": "1000001"},
    }
    since = datetime(1970, 1, 1, 0, 0, 1, 1, tzinfo=UTC)
    assert head_of(item) == Head(stream, 3, "p", 2, 1, dirty=True, blocked=True, pending_since=since)


@given(st.binary())
def test_keeps_a_saved_state_to_the_byte(body: bytes) -> None:
    state = SavedState(a_stream(), 3, "p", "f", body)
    assert state_of(state_item(state)) == state


def test_spreads_streams_over_all_shards() -> None:
    assert {shard_of(a_stream(number)) for number in range(200)} == set("01234567")
