from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from crm_events.adapters.dynamodb.connection import Connection
from crm_events.adapters.dynamodb.event_store import DynamoDBEventStore
from crm_events.adapters.dynamodb.tables import shard_of
from crm_events.domain.heads import SavedState, Watermark
from crm_events.domain.identifiers import StreamKey
from crm_events.ports.event_store import HistoryOrder, HistoryQuery, StreamFlag, walk_streams
from tests.builders import a_stream
from tests.engines.dynamodb_faults import Times, hooked
from tests.integration.crm_events.dynamodb.logs import (
    KEY,
    NOW,
    an_event,
    appending,
    incompressible,
    put,
    put_many,
    streams,
)


def walked(store: DynamoDBEventStore, entity: str, page_size: int) -> list[StreamKey]:
    return [head.stream for page in walk_streams(store, entity, page_size) for head in page.heads]


def test_walks_over_all_shards_in_key_order(store: DynamoDBEventStore) -> None:
    put_many(store, streams(40), 1)
    for page_size in (1, 7, 40, 41, 500):
        assert walked(store, "Account", page_size) == streams(40)


def test_walks_on_when_a_stream_is_made_behind_it(store: DynamoDBEventStore) -> None:
    put_many(store, streams(20)[1:], 1)
    first = store.list_streams("Account", 10)
    put_many(store, [a_stream(1), a_stream(50)], 1)
    second = store.list_streams("Account", 100, first.next_cursor)
    assert [head.stream for head in [*first.heads, *second.heads]] == [*streams(20)[1:], a_stream(50)]


def test_walks_by_the_table_itself_and_not_by_an_index(store: DynamoDBEventStore, connection: Connection) -> None:
    queries: list[dict[str, Any]] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        queries.append(params)

    put_many(store, streams(3), 1)
    with hooked(connection, "provide-client-params.dynamodb.Query", note):
        walked(store, "Account", 10)
    assert all(query["ConsistentRead"] and "IndexName" not in query for query in queries)


def test_passes_over_what_an_index_still_names(store: DynamoDBEventStore, connection: Connection) -> None:
    put_many(store, streams(12), 1)

    def stale(**_: Any) -> None:
        # An index follows its table by a moment: here it names streams that were projected meanwhile.
        if once.take():
            store.move_watermarks([Watermark(key, 1, 1) for key in streams(12)[:6]])

    once = Times(1)
    with hooked(connection, "before-send.dynamodb.BatchGetItem", stale):
        assert [head.stream for head in store.pending_streams(12)] == streams(12)[6:]


def test_fills_its_page_although_an_index_names_much_that_is_gone(
    store: DynamoDBEventStore, connection: Connection
) -> None:
    for number, key in enumerate(streams(12)):
        store.append([appending(an_event(1, key))], NOW + timedelta(seconds=number))
    once = Times(1)

    def overtake(**_: Any) -> None:
        if once.take():
            store.move_watermarks([Watermark(key, 1, 1) for key in streams(12)[:6]])

    with hooked(connection, "before-send.dynamodb.BatchGetItem", overtake):
        assert [head.stream for head in store.pending_streams(4)] == streams(12)[6:10]


def test_pages_through_flagged_streams_of_several_entities(store: DynamoDBEventStore) -> None:
    keys = [a_stream(number, entity) for entity in ("Account", "Lead") for number in range(1, 8)]
    put_many(store, keys, 1)
    store.set_blocked(keys, blocked=True)
    found: list[StreamKey] = []
    cursor = None
    while True:
        page = store.flagged_streams(StreamFlag.BLOCKED, 4, cursor)
        found += [head.stream for head in page.heads]
        if (cursor := page.next_cursor) is None:
            break
    assert found == keys


def test_counts_no_further_than_it_must(store: DynamoDBEventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm_events.adapters.dynamodb.walking._STREAMS_ADDED_UP", 5)
    put_many(store, streams(12), 1, 2, 3)
    figures = store.statistics()
    assert (figures.pending_streams, figures.pending_events, figures.oldest_pending_since) == (12, 5 * 3 + 7, NOW)


def test_forgets_more_states_than_one_page_of_a_shard_holds(store: DynamoDBEventStore) -> None:
    keys = [key for key in streams(200) if shard_of(key) == "0"]
    put_many(store, keys, 1)
    body = Random(1).randbytes(60_000)  # noqa: S311  # the same on every run
    store.save_states([SavedState(key, 1, "p", "f", body) for key in keys])
    assert store.purge_states("Lead") == 0
    assert store.purge_states() == len(keys) > 18


def test_keeps_no_state_that_fits_no_item(store: DynamoDBEventStore) -> None:
    large = SavedState(KEY, 1, "p", "f", Random(1).randbytes(450_000))  # noqa: S311  # the same on every run
    store.save_states([large, replace(large, stream=a_stream(2), body=b"{}" * 300_000)])
    assert list(store.load_states([KEY, a_stream(2)])) == [a_stream(2)]


# History by arrival


def _pages(store: DynamoDBEventStore, query: HistoryQuery) -> list[int]:
    found: list[int] = []
    while True:
        page = store.history(query)
        found += [event.version for event in page.events]
        assert len(found) <= 20, "a page came twice"
        if page.next_cursor is None:
            return found
        query = replace(query, cursor=page.next_cursor)


_IN_TIME, _BACKWARDS = range(20), range(20, 0, -1)
_MIXED = Random(3).sample(range(20), 20)  # noqa: S311  # the same on every run


@pytest.mark.parametrize("seconds", [_IN_TIME, _BACKWARDS, _MIXED], ids=["in time", "backwards", "mixed"])
def test_pages_by_arrival_whatever_came_late(store: DynamoDBEventStore, seconds: Sequence[int]) -> None:
    put(store, *(an_event(second) for second in seconds))
    for limit in (1, 3, 20, 40):
        for descending in (False, True):
            query = HistoryQuery(KEY, HistoryOrder.ARRIVAL, descending, limit=limit)
            assert _pages(store, query) == sorted(range(1, 21), reverse=descending)


@pytest.mark.parametrize("descending", [False, True])
def test_bounds_arrivals_by_commit_time(store: DynamoDBEventStore, descending: bool) -> None:
    put(store, *(an_event(second) for second in (5, 1, 9, 3, 7, 4, 8)))
    since, until = (an_event(second).order_key.commit_timestamp for second in (3, 8))
    query = HistoryQuery(KEY, HistoryOrder.ARRIVAL, descending, since_ms=since, until_ms=until, limit=2)
    assert _pages(store, query) == sorted([1, 4, 5, 6], reverse=descending)


def test_has_nothing_between_bounds_that_exclude_each_other(store: DynamoDBEventStore) -> None:
    put(store, an_event(1), an_event(2))
    moment = an_event(1).order_key.commit_timestamp
    for order in HistoryOrder:
        assert store.history(HistoryQuery(KEY, order, since_ms=moment + 9_000, until_ms=moment)).events == []


def test_reads_large_payloads_of_a_page_and_of_late_events(store: DynamoDBEventStore) -> None:
    events = [incompressible(an_event(second), 450_000) for second in (2, 1)]
    put(store, *events)
    page = store.history(HistoryQuery(KEY, HistoryOrder.ARRIVAL))
    assert [stored.event for stored in page.events] == events
