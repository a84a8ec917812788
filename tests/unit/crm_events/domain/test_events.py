from datetime import UTC, datetime

import pytest

from crm_events.domain.events import (
    EventSource,
    EventType,
    StoredEvent,
    cdc_event_id,
    notice_id,
    snapshot_event_id,
)
from crm_events.domain.heads import Head
from crm_events.domain.order import OrderKey
from tests.builders import a_new_event, a_stream


@pytest.mark.parametrize("event_type", list(EventType))
def test_only_gap_events_are_gaps(event_type: EventType) -> None:
    assert event_type.is_gap == ("GAP" in event_type.name)


def test_an_event_id_does_not_depend_on_where_the_event_came_from() -> None:
    first = a_new_event(delivery=("one", 0))
    assert first.event_id == a_new_event(delivery=("two", 7)).event_id


@pytest.mark.parametrize(
    ("key", "sequence", "record", "change_type"),
    [
        ("other", 1, 1, EventType.UPDATE),
        ("key", 2, 1, EventType.UPDATE),
        ("key", 1, 2, EventType.UPDATE),
        ("key", 1, 1, EventType.DELETE),
    ],
)
def test_every_part_of_the_identity_tells_events_apart(
    key: str, sequence: int, record: int, change_type: EventType
) -> None:
    base = cdc_event_id("key", 1, a_stream(1), EventType.UPDATE)
    assert cdc_event_id(key, sequence, a_stream(record), change_type) != base


def test_a_separator_inside_a_part_does_not_join_identities() -> None:
    assert notice_id('a",1', 1, "b", "c", "d") != notice_id("a", 1, "b", "c", "d")


def test_two_sources_reading_the_same_row_are_two_events() -> None:
    order = OrderKey(1_000, 0, 1_000)
    repaired = snapshot_event_id(EventSource.GAP_REPAIR, a_stream(), order)
    assert repaired != snapshot_event_id(EventSource.BACKFILL, a_stream(), order)


def test_position_is_order_key_then_event_id() -> None:
    event = a_new_event()
    assert event.position == f"{event.order_key}#{event.event_id}"
    assert StoredEvent(event, 1, datetime(2026, 10, 6, tzinfo=UTC), late=False).position == event.position


@pytest.mark.parametrize(
    ("projected", "published", "expected"), [(3, 3, False), (2, 3, True), (3, 2, True), (0, 0, True)]
)
def test_a_head_is_pending_while_a_watermark_is_behind(projected: int, published: int, expected: bool) -> None:
    head = Head(a_stream(), 3, "position", projected_version=projected, published_version=published)
    assert head.is_pending is expected
