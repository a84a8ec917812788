"""What every event store must do; a new adapter is done when it passes."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import TypeVar

import pytest
from django.db import connections

from crm_events.domain.events import EventSource, EventType, NewEvent
from crm_events.domain.heads import SavedState, Watermark
from crm_events.domain.identifiers import StreamKey, id_checksum
from crm_events.domain.order import OrderKey
from crm_events.ports.event_store import (
    MAX_EVENTS_PER_APPEND,
    Appended,
    AppendOutcome,
    AppendResult,
    EventStore,
    HistoryOrder,
    HistoryQuery,
    InvalidCursorError,
    ReadRequest,
    StreamAppend,
    StreamFlag,
    TooManyEventsError,
    walk_streams,
)

T = TypeVar("T")
NOW = datetime(2026, 10, 6, 7, 20, 9, 123456, tzinfo=UTC)
RECORDED, LATE, DUPLICATE = AppendOutcome.RECORDED, AppendOutcome.LATE, AppendOutcome.DUPLICATE


def a_key(number: int = 1, entity: str = "Account") -> StreamKey:
    id15 = f"001Qy{number:010d}"
    return StreamKey(entity, id15 + id_checksum(id15))


KEY = a_key()


def an_event(
    second: int = 1, stream: StreamKey = KEY, delivery: str = "d1", index: int = 0, name: str = ""
) -> NewEvent:
    return NewEvent(
        stream=stream,
        event_type=EventType.UPDATE,
        order_key=OrderKey(1_791_271_205_000 + second * 1000, 1_791_271_205_417_203_714, 1),
        event_id=name or f"e{second:031d}",
        source=EventSource.CDC,
        raw=f'{{"second": {second}.50}}',
        delivery_id=delivery,
        delivery_index=index,
    )


def appending(*events: NewEvent, expected: int | None = None) -> StreamAppend:
    return StreamAppend(events[0].stream, events, expected)


def put(store: EventStore, *events: NewEvent) -> Sequence[Appended]:
    """Append events of one stream."""
    return store.append([appending(*events)], NOW)[0].appended


def versions(store: EventStore, stream: StreamKey = KEY, after: str = "", up_to: int | None = None) -> list[int]:
    return [event.version for event in store.read([ReadRequest(stream, after, up_to)])[stream]]


class EventStoreContract:
    @pytest.fixture
    def store(self) -> EventStore:
        raise NotImplementedError

    # Append

    def test_gives_versions_in_order_of_arrival(self, store: EventStore) -> None:
        assert put(store, an_event(1), an_event(2)) == [Appended(RECORDED, 1), Appended(RECORDED, 2)]
        assert put(store, an_event(3)) == [Appended(RECORDED, 3)]

    def test_keeps_every_part_of_an_event(self, store: EventStore) -> None:
        event = an_event(7, delivery="d9", index=4)
        put(store, event)
        stored = store.read([ReadRequest(KEY)])[KEY][0]
        assert (stored.event, stored.version, stored.recorded_at, stored.late) == (event, 1, NOW, False)

    def test_marks_an_older_event_as_late_and_keeps_it(self, store: EventStore) -> None:
        put(store, an_event(5))
        assert put(store, an_event(2)) == [Appended(LATE, 2)]
        assert [e.late for e in store.read([ReadRequest(KEY)])[KEY]] == [True, False]

    def test_calls_a_known_event_of_another_delivery_a_duplicate(self, store: EventStore) -> None:
        put(store, an_event(1), an_event(2))
        assert put(store, an_event(1, delivery="d2")) == [Appended(DUPLICATE, 1)]
        assert store.heads([KEY])[KEY].version == 2

    def test_finds_a_duplicate_inside_one_batch(self, store: EventStore) -> None:
        outcomes = put(store, an_event(1), an_event(1, index=1), an_event(2, index=2))
        assert outcomes == [Appended(RECORDED, 1), Appended(DUPLICATE, 1), Appended(RECORDED, 2)]

    def test_repeats_its_answer_when_the_same_item_comes_again(self, store: EventStore) -> None:
        first = put(store, an_event(5), an_event(2, index=1))
        assert put(store, an_event(5), an_event(2, index=1)) == first == [Appended(RECORDED, 1), Appended(LATE, 2)]

    def test_takes_one_event_id_with_two_order_keys_as_two_events(self, store: EventStore) -> None:
        assert [a.outcome for a in put(store, an_event(1, name="same"), an_event(2, name="same"))] == [RECORDED] * 2

    def test_takes_one_order_key_with_two_event_ids_as_two_events(self, store: EventStore) -> None:
        put(store, an_event(1, name="b"), an_event(1, name="a"))
        assert versions(store) == [2, 1]

    def test_appends_to_many_streams_and_answers_in_order(self, store: EventStore) -> None:
        keys = [a_key(n) for n in (3, 1, 2)]
        results = store.append([appending(an_event(1, key), an_event(2, key)) for key in keys], NOW)
        assert [result.stream for result in results] == keys
        assert [len(result.appended) for result in results] == [2, 2, 2]

    def test_refuses_a_wrong_expected_version_and_writes_nothing(self, store: EventStore) -> None:
        put(store, an_event(1))
        result = store.append([appending(an_event(2), an_event(3), expected=0)], NOW)
        assert result == [AppendResult(KEY, conflict=1)]
        assert versions(store) == [1]

    def test_takes_the_right_expected_version(self, store: EventStore) -> None:
        put(store, an_event(1))
        assert store.append([appending(an_event(2), expected=1)], NOW)[0].conflict is None

    def test_writes_other_streams_when_one_conflicts(self, store: EventStore) -> None:
        other = a_key(2)
        results = store.append([appending(an_event(1), expected=9), appending(an_event(1, other))], NOW)
        assert [r.conflict for r in results] == [0, None]
        assert (versions(store), versions(store, other)) == ([], [1])

    def test_refuses_more_events_than_a_transaction_holds(self, store: EventStore) -> None:
        events = [an_event(n) for n in range(MAX_EVENTS_PER_APPEND + 1)]
        with pytest.raises(TooManyEventsError):
            put(store, *events)
        assert len(put(store, *events[:-1])) == MAX_EVENTS_PER_APPEND

    def test_keeps_large_and_strange_payloads_exactly(self, store: EventStore) -> None:
        raw = '{"a": "' + "å€\\u0000𝄞 " * 200_000 + '", "n": 1.10}'
        event = replace(an_event(1), raw=raw)
        put(store, event)
        assert store.read([ReadRequest(KEY)])[KEY][0].event.raw == raw

    # Concurrency

    def test_gives_each_version_once_to_concurrent_writers(self, store: EventStore) -> None:
        writers, each = 8, 5
        barrier = Barrier(writers)

        def write(writer: int) -> list[int]:
            barrier.wait()
            return [put(store, an_event(writer * 100 + n, delivery=f"d{writer}"))[0].version for n in range(each)]

        got = sorted(version for part in _in_threads(write, writers) for version in part)
        assert got == list(range(1, writers * each + 1)) == sorted(versions(store))

    def test_records_an_event_once_when_many_deliver_it_at_once(self, store: EventStore) -> None:
        barrier = Barrier(6)

        def write(writer: int) -> AppendOutcome:
            barrier.wait()
            return put(store, an_event(1, delivery=f"d{writer}"))[0].outcome

        assert sorted(_in_threads(write, 6)) == sorted([RECORDED, *[DUPLICATE] * 5])
        assert versions(store) == [1]

    def test_lets_one_of_two_optimistic_writers_win(self, store: EventStore) -> None:
        put(store, an_event(1))
        barrier = Barrier(4)

        def write(writer: int) -> int | None:
            barrier.wait()
            return store.append([appending(an_event(10 + writer), expected=1)], NOW)[0].conflict

        assert sorted(_in_threads(write, 4), key=str) == [2, 2, 2, None]

    def test_survives_writers_that_meet_in_opposite_order(self, store: EventStore) -> None:
        keys = [a_key(n) for n in range(20)]
        barrier = Barrier(2)

        def write(writer: int) -> int:
            barrier.wait()
            ordered = keys if writer else keys[::-1]
            return len(store.append([appending(an_event(writer, key, f"d{writer}")) for key in ordered], NOW))

        assert _in_threads(write, 2) == [20, 20]
        assert all(head.version == 2 for head in store.heads(keys).values())

    # Reading

    def test_reads_in_fold_order_after_a_position_up_to_a_version(self, store: EventStore) -> None:
        put(store, an_event(4), an_event(1), an_event(3), an_event(2))
        assert versions(store) == [2, 4, 3, 1]
        assert versions(store, after=an_event(1).position) == [4, 3, 1]
        assert versions(store, after=an_event(1).position, up_to=3) == [3, 1]

    def test_reads_many_streams_at_once_and_has_an_entry_for_each(self, store: EventStore) -> None:
        put(store, an_event(1))
        put(store, an_event(1, a_key(2)), an_event(2, a_key(2)))
        found = store.read([ReadRequest(a_key(n)) for n in (1, 2, 3)])
        assert {key: len(events) for key, events in found.items()} == {a_key(1): 1, a_key(2): 2, a_key(3): 0}

    @pytest.mark.parametrize("order", HistoryOrder)
    @pytest.mark.parametrize("descending", [False, True])
    def test_pages_through_a_history(self, store: EventStore, order: HistoryOrder, descending: bool) -> None:
        put(store, *[an_event(n) for n in (5, 1, 4, 2, 3)])
        expected = [1, 2, 3, 4, 5] if order is HistoryOrder.ARRIVAL else [2, 4, 5, 3, 1]
        got, cursor = [], None
        while True:
            page = store.history(HistoryQuery(KEY, order, descending, limit=2, cursor=cursor))
            got += [event.version for event in page.events]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert got == (expected[::-1] if descending else expected)

    def test_bounds_a_history_by_commit_time(self, store: EventStore) -> None:
        put(store, *[an_event(n) for n in (1, 2, 3, 4)])
        since, until = (an_event(n).order_key.commit_timestamp for n in (2, 4))
        page = store.history(HistoryQuery(KEY, since_ms=since, until_ms=until))
        assert [event.version for event in page.events] == [2, 3]

    @pytest.mark.parametrize("order", HistoryOrder)
    def test_refuses_a_foreign_cursor(self, store: EventStore, order: HistoryOrder) -> None:
        with pytest.raises(InvalidCursorError):
            store.history(HistoryQuery(KEY, order, cursor="nonsense"))
        with pytest.raises(InvalidCursorError):
            store.list_streams("Account", 1, "nonsense")

    # Heads

    def test_begins_a_head_pending_since_its_first_event(self, store: EventStore) -> None:
        put(store, an_event(1))
        store.append([appending(an_event(2))], NOW + timedelta(seconds=5))
        head = store.heads([KEY])[KEY]
        assert (head.version, head.newest_position, head.pending_since) == (2, an_event(2).position, NOW)
        assert (head.projected_version, head.published_version, head.is_pending) == (0, 0, True)

    def test_has_no_head_for_an_unknown_stream(self, store: EventStore) -> None:
        assert store.heads([KEY]) == {}

    def test_keeps_the_newest_position_when_a_late_event_arrives(self, store: EventStore) -> None:
        put(store, an_event(5), an_event(1))
        assert store.heads([KEY])[KEY].newest_position == an_event(5).position

    def test_does_not_wake_a_settled_stream_for_a_duplicate(self, store: EventStore) -> None:
        put(store, an_event(1))
        store.move_watermarks([Watermark(KEY, 1, 1)])
        put(store, an_event(1, delivery="d2"))
        assert store.heads([KEY])[KEY].pending_since is None

    def test_moves_watermarks_forwards_only(self, store: EventStore) -> None:
        put(store, an_event(1), an_event(2), an_event(3))
        store.move_watermarks([Watermark(KEY, projected=2, published=1)])
        store.move_watermarks([Watermark(KEY, projected=1, published=2)])
        head = store.heads([KEY])[KEY]
        assert (head.projected_version, head.published_version) == (2, 2)

    def test_stays_pending_until_both_watermarks_reach_the_version(self, store: EventStore) -> None:
        put(store, an_event(1), an_event(2))
        for move in (Watermark(KEY, 2, 0), Watermark(KEY, 2, 1)):
            store.move_watermarks([move])
            assert store.heads([KEY])[KEY].pending_since == NOW
        store.move_watermarks([Watermark(KEY, published=2)])
        assert store.heads([KEY])[KEY].pending_since is None

    def test_stays_pending_when_an_event_arrived_meanwhile(self, store: EventStore) -> None:
        put(store, an_event(1))
        put(store, an_event(2))
        store.move_watermarks([Watermark(KEY, 1, 1)])
        assert store.heads([KEY])[KEY].pending_since == NOW

    def test_sets_dirty_only_by_the_newest_projection(self, store: EventStore) -> None:
        put(store, an_event(1), an_event(2))
        store.move_watermarks([Watermark(KEY, 2, 2, dirty=True)])
        store.move_watermarks([Watermark(KEY, 1, 1, dirty=False)])
        assert store.heads([KEY])[KEY].dirty
        store.move_watermarks([Watermark(KEY, 2, 2, dirty=False)])
        assert not store.heads([KEY])[KEY].dirty

    def test_leaves_dirty_alone_when_a_move_does_not_speak_of_it(self, store: EventStore) -> None:
        put(store, an_event(1))
        store.move_watermarks([Watermark(KEY, 1, 0, dirty=True)])
        store.move_watermarks([Watermark(KEY, 1, 1)])
        assert store.heads([KEY])[KEY].dirty

    def test_keeps_watermarks_right_under_two_racing_projectors(self, store: EventStore) -> None:
        put(store, *[an_event(n) for n in range(1, 31)])
        barrier = Barrier(2)

        def move(projector: int) -> None:
            barrier.wait()
            for version in range(1 + projector, 31, 2):
                store.move_watermarks([Watermark(KEY, version, version)])

        _in_threads(move, 2)
        head = store.heads([KEY])[KEY]
        assert (head.projected_version, head.published_version, head.pending_since) == (30, 30, None)

    # Walking

    def test_walks_all_streams_of_an_entity_in_key_order(self, store: EventStore) -> None:
        keys = [a_key(n) for n in range(7)]
        store.append([appending(an_event(1, key)) for key in [*keys, a_key(1, "Contact")]], NOW)
        walked = [head.stream for page in walk_streams(store, "Account", page_size=3) for head in page.heads]
        assert walked == sorted(keys)

    def test_names_the_entities_there_are(self, store: EventStore) -> None:
        store.append(
            [appending(an_event(1, a_key(n, name))) for n, name in enumerate(["Lead", "Account", "Lead"])], NOW
        )
        assert store.entity_names() == ["Account", "Lead"]

    def test_lists_pending_streams_longest_waiting_first(self, store: EventStore) -> None:
        for number in (3, 1, 2):
            store.append([appending(an_event(1, a_key(number)))], NOW + timedelta(seconds=number))
        store.move_watermarks([Watermark(a_key(2), 1, 1)])
        assert [head.stream for head in store.pending_streams(10)] == [a_key(1), a_key(3)]
        assert [head.stream for head in store.pending_streams(1)] == [a_key(1)]
        assert [head.stream for head in store.pending_streams(10, NOW + timedelta(seconds=2))] == [a_key(1)]

    def test_parks_a_blocked_stream_until_it_is_released(self, store: EventStore) -> None:
        put(store, an_event(1))
        store.set_blocked([KEY], blocked=True)
        assert store.pending_streams(10) == []
        assert [head.stream for head in store.flagged_streams(StreamFlag.BLOCKED, 10).heads] == [KEY]
        store.set_blocked([KEY], blocked=False)
        assert [head.stream for head in store.pending_streams(10)] == [KEY]

    def test_pages_through_dirty_streams(self, store: EventStore) -> None:
        keys = [a_key(n) for n in range(5)]
        store.append([appending(an_event(1, key)) for key in keys], NOW)
        store.move_watermarks([Watermark(key, 1, 1, dirty=key != keys[2]) for key in keys])
        first = store.flagged_streams(StreamFlag.DIRTY, 3)
        second = store.flagged_streams(StreamFlag.DIRTY, 3, first.next_cursor)
        assert [h.stream for h in [*first.heads, *second.heads]] == [keys[0], keys[1], keys[3], keys[4]]
        assert second.next_cursor is None

    def test_counts_what_waits(self, store: EventStore) -> None:
        put(store, an_event(1), an_event(2), an_event(3))
        store.append([appending(an_event(1, a_key(2)))], NOW + timedelta(seconds=9))
        store.append([appending(an_event(1, a_key(3)))], NOW)
        store.move_watermarks([Watermark(KEY, 3, 1, dirty=True)])
        store.set_blocked([a_key(3)], blocked=True)
        figures = store.statistics()
        assert (figures.pending_streams, figures.pending_events, figures.oldest_pending_since) == (2, 3, NOW)
        assert (figures.blocked_streams, figures.dirty_streams) == (1, 1)

    # Saved states

    def test_keeps_the_newest_saved_state(self, store: EventStore) -> None:
        put(store, an_event(1), an_event(2))
        newer, older = (SavedState(KEY, n, an_event(n).position, "f", bytes([n, 0, 255])) for n in (2, 1))
        store.save_states([newer])
        store.save_states([older])
        assert store.load_states([KEY, a_key(2)]) == {KEY: newer}

    def test_reads_the_events_behind_a_saved_state_when_a_late_one_arrives(self, store: EventStore) -> None:
        put(store, an_event(1), an_event(5))
        store.save_states([SavedState(KEY, 2, an_event(5).position, "f", b"{}")])
        put(store, an_event(3), an_event(6))
        saved, head = store.load_states([KEY])[KEY], store.heads([KEY])[KEY]
        after = store.read([ReadRequest(KEY, saved.position, head.version)])[KEY]
        assert len(after) != head.version - saved.version
        assert len(store.read([ReadRequest(KEY, "", head.version)])[KEY]) == head.version

    def test_forgets_saved_states_of_one_entity_or_all(self, store: EventStore) -> None:
        keys = [a_key(1), a_key(2), a_key(1, "Lead")]
        store.append([appending(an_event(1, key)) for key in keys], NOW)
        store.save_states([SavedState(key, 1, an_event(1).position, "f", b"{}") for key in keys])
        assert store.purge_states("Lead") == 1
        assert store.purge_states() == 2
        assert store.load_states(keys) == {}

    def test_answers_a_ping(self, store: EventStore) -> None:
        store.ping()


def _in_threads(work: Callable[[int], T], count: int) -> list[T]:
    def closing(number: int) -> T:
        try:
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(closing, range(count)))
