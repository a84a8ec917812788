from collections.abc import Callable
from typing import Any

import pytest

from crm_events.adapters.dynamodb.connection import Connection
from crm_events.adapters.dynamodb.event_store import DynamoDBEventStore
from crm_events.domain.heads import SavedState, Watermark
from crm_events.ports.event_store import Appended, AppendOutcome, EventStoreUnavailableError
from tests.builders import a_stream
from tests.engines.dynamodb_faults import answering, cancelling, doing_half, resetting
from tests.engines.dynamodb_tables import a_prefix
from tests.integration.crm_events.dynamodb.logs import (
    KEY,
    an_event,
    incompressible,
    logged,
    put,
    put_many,
    streams,
)

RECORDED = Appended(AppendOutcome.RECORDED, 1)
THROTTLED = "ProvisionedThroughputExceededException"


def _states(count: int) -> list[SavedState]:
    return [SavedState(key, 1, "p", "f", b"{}") for key in streams(count)]


def _leave_keys(parsed: dict[str, Any], rest: Any) -> None:
    parsed["UnprocessedKeys"] = rest


def _leave_items(parsed: dict[str, Any], rest: Any) -> None:
    parsed["UnprocessedItems"] = rest


def _leave_statements(parsed: dict[str, Any], rest: Any) -> None:
    parsed["Responses"] += [{"Error": {"Code": "ThrottlingError"}} for _ in rest]


# Half done


def test_asks_again_for_keys_that_were_not_read(store: DynamoDBEventStore, connection: Connection) -> None:
    put_many(store, streams(30), 1)
    with doing_half(connection, "BatchGetItem", _leave_keys, "RequestItems") as calls:
        assert list(store.heads(streams(30))) == streams(30)
    assert calls.asked > 1


def test_writes_again_what_was_not_written(store: DynamoDBEventStore, connection: Connection) -> None:
    events = [incompressible(an_event(second), 300_000) for second in range(1, 20)]
    with doing_half(connection, "BatchWriteItem", _leave_items, "RequestItems") as calls:
        put(store, *events)
    assert calls.asked > 1
    assert logged(store) == events


def test_moves_the_watermarks_that_were_throttled_again(store: DynamoDBEventStore, connection: Connection) -> None:
    put_many(store, streams(30), 1)
    with doing_half(connection, "BatchExecuteStatement", _leave_statements, "Statements") as calls:
        store.move_watermarks([Watermark(key, 1, 1) for key in streams(30)])
    assert calls.asked > 2
    assert store.pending_streams(100) == []


def test_forgets_every_state_although_half_of_each_call_is_left(
    store: DynamoDBEventStore, connection: Connection
) -> None:
    put_many(store, streams(30), 1)
    store.save_states(_states(30))
    with doing_half(connection, "BatchWriteItem", _leave_items, "RequestItems"):
        assert store.purge_states() == 30
    assert store.load_states(streams(30)) == {}


# Throttled


@pytest.mark.parametrize(
    ("operation", "work"),
    [
        ("TransactWriteItems", lambda store: put(store, an_event(2))),
        ("BatchGetItem", lambda store: store.heads([KEY])),
        ("Query", logged),
        ("BatchExecuteStatement", lambda store: store.move_watermarks([Watermark(KEY, 1, 1)])),
        ("GetItem", lambda store: store.ping()),
    ],
)
def test_gets_through_when_the_first_calls_are_throttled(
    store: DynamoDBEventStore,
    connection: Connection,
    operation: str,
    work: Callable[[DynamoDBEventStore], object],
) -> None:
    put(store, an_event(1))
    with answering(connection, operation, 2, THROTTLED) as calls:
        work(store)
    assert calls.asked >= 3


def test_says_so_when_it_stays_throttled_and_loses_nothing(store: DynamoDBEventStore, connection: Connection) -> None:
    with (
        answering(connection, "TransactWriteItems", 4, THROTTLED),
        pytest.raises(EventStoreUnavailableError, match="takes no more requests"),
    ):
        put(store, an_event(1))
    assert logged(store) == []
    assert put(store, an_event(1)) == [RECORDED]


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_tries_a_cancelled_pack_again_stream_by_stream(
    store: DynamoDBEventStore, connection: Connection, code: str
) -> None:
    with cancelling(connection, 2, code) as transactions:
        assert put_many(store, streams(3), 1, 2) == [[1, 2]] * 3
    assert transactions.asked > 3
    assert [event.delivery_index for event in logged(store, a_stream(1))] == [1, 2]


def test_gives_up_on_a_stream_that_stays_contended_and_says_which(
    store: DynamoDBEventStore, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_events.adapters.dynamodb.appending._TRIES", 3)
    with (
        cancelling(connection, 10, "TransactionConflict"),
        pytest.raises(EventStoreUnavailableError, match=str(KEY)),
    ):
        put(store, an_event(1))


# Connection lost


def test_records_an_event_once_although_the_answer_was_lost(store: DynamoDBEventStore, connection: Connection) -> None:
    with resetting(connection, "TransactWriteItems", 1, done=True) as transactions:
        assert put(store, an_event(1), an_event(2))[0] == RECORDED
    assert transactions.asked >= 2
    assert len(logged(store)) == 2


def test_calls_recorded_what_it_wrote_before_the_connection_was_gone_for_good(
    store: DynamoDBEventStore, connection: Connection
) -> None:
    with (
        resetting(connection, "TransactWriteItems", 4, done=True),
        pytest.raises(EventStoreUnavailableError, match="does not answer"),
    ):
        put(store, an_event(1))
    assert put(store, an_event(1)) == [RECORDED]
    assert store.heads([KEY])[KEY].version == 1


def test_moves_a_watermark_whose_answer_was_lost(store: DynamoDBEventStore, connection: Connection) -> None:
    put(store, an_event(1))
    with resetting(connection, "BatchExecuteStatement", 1, done=True):
        store.move_watermarks([Watermark(KEY, 1, 1)])
    assert not store.heads([KEY])[KEY].is_pending


@pytest.mark.parametrize("operation", ["Query", "BatchGetItem"])
def test_reads_again_when_the_connection_is_reset(
    store: DynamoDBEventStore, connection: Connection, operation: str
) -> None:
    put_many(store, streams(5), 1)
    with resetting(connection, operation, 3):
        assert len(store.list_streams("Account", 10).heads) == len(store.heads(streams(5))) == 5


# Out of reach


def test_says_how_to_create_tables_that_are_not_there(connection: Connection) -> None:
    store = DynamoDBEventStore(prefix := a_prefix(), connection)
    with pytest.raises(EventStoreUnavailableError, match=f"{prefix}-streams does not exist.*manage.py provision"):
        store.ping()
    with pytest.raises(EventStoreUnavailableError, match="does not exist"):
        store.move_watermarks([Watermark(KEY, 1, 1)])


@pytest.mark.usefixtures("connection")
def test_says_where_it_looked_when_nothing_answers() -> None:
    store = DynamoDBEventStore("any", Connection("http://127.0.0.1:9"))
    with pytest.raises(EventStoreUnavailableError, match=r"http://127\.0\.0\.1:9.*AWS_ENDPOINT_URL_DYNAMODB"):
        store.ping()
