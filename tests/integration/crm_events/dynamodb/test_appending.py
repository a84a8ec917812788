from typing import Any

import pytest

from crm_events.adapters.dynamodb.connection import Connection
from crm_events.adapters.dynamodb.event_store import DynamoDBEventStore
from crm_events.adapters.dynamodb.tables import stream_item_key
from crm_events.domain.heads import Watermark
from crm_events.ports.event_store import Appended, AppendOutcome, AppendResult, StreamAppend
from tests.builders import a_stream
from tests.engines.dynamodb_faults import Times, hooked
from tests.integration.crm_events.dynamodb.logs import (
    KEY,
    NOW,
    an_event,
    appending,
    incompressible,
    logged,
    put,
    put_many,
    streams,
)

RECORDED, DUPLICATE = AppendOutcome.RECORDED, AppendOutcome.DUPLICATE
# Before a call, not before each of its tries: a busy local engine lets some of these time out.
TRANSACTIONS = "before-call.dynamodb.TransactWriteItems"


@pytest.fixture
def transactions(connection: Connection) -> Any:
    """Count transactions."""
    count = Times(0)

    def note(**_: Any) -> None:
        count.take()

    with hooked(connection, TRANSACTIONS, note):
        yield count


def test_packs_many_small_streams_into_few_transactions(store: DynamoDBEventStore, transactions: Times) -> None:
    put_many(store, streams(100), 1)
    assert transactions.asked == 2


def test_writes_a_hundred_streams_and_their_heads_as_they_are(store: DynamoDBEventStore) -> None:
    assert put_many(store, streams(100), 1, 2) == [[1, 2]] * 100
    assert {key: head.version for key, head in store.heads(streams(100)).items()} == dict.fromkeys(streams(100), 2)


def test_appends_twice_to_a_stream_in_one_call(store: DynamoDBEventStore) -> None:
    results = store.append([appending(an_event(1)), appending(an_event(2)), appending(an_event(1, delivery="d2"))], NOW)
    assert [result.appended for result in results] == [
        [Appended(RECORDED, 1)],
        [Appended(RECORDED, 2)],
        [Appended(DUPLICATE, 1)],
    ]


def test_writes_nothing_for_duplicates_alone(store: DynamoDBEventStore, transactions: Times) -> None:
    put(store, an_event(1), an_event(2))
    put(store, an_event(1, delivery="d2"), an_event(2, delivery="d2"))
    assert transactions.asked == 1


def test_writes_the_others_of_a_pack_when_one_stream_got_an_event_meanwhile(
    store: DynamoDBEventStore, connection: Connection, dynamodb_endpoint: str
) -> None:
    other = DynamoDBEventStore(store._tables.events.removesuffix("-events"), Connection(dynamodb_endpoint))
    put_many(store, streams(3), 1)
    once = Times(1)

    def overtake(**_: Any) -> None:
        if once.take():
            put(other, an_event(7, a_stream(2), "d7"))

    with hooked(connection, TRANSACTIONS, overtake):
        assert put_many(store, streams(3), 2) == [[2], [3], [2]]
    assert [event.delivery_id for event in logged(store, a_stream(2))] == ["d1", "d1", "d7"]
    assert once.asked == 3  # all together, then the two others together and the one alone


def test_finds_a_duplicate_that_another_writer_recorded_meanwhile(
    store: DynamoDBEventStore, connection: Connection, dynamodb_endpoint: str
) -> None:
    other = DynamoDBEventStore(store._tables.events.removesuffix("-events"), Connection(dynamodb_endpoint))
    once = Times(1)

    def overtake(**_: Any) -> None:
        if once.take():
            put(other, an_event(1, delivery="d7"))

    with hooked(connection, TRANSACTIONS, overtake):
        assert put(store, an_event(1), an_event(2)) == [Appended(DUPLICATE, 1), Appended(RECORDED, 2)]


def test_believes_the_log_where_a_head_was_restored_to_an_earlier_time(
    store: DynamoDBEventStore, connection: Connection
) -> None:
    put(store, an_event(1))
    earlier = connection.call("query", **_head_query(store))["Items"][0]
    put(store, an_event(2), an_event(3))
    connection.call("put_item", TableName=store._tables.streams, Item=earlier)
    assert put(store, an_event(2, delivery="d2"), an_event(4)) == [Appended(DUPLICATE, 2), Appended(RECORDED, 2)]


def _head_query(store: DynamoDBEventStore) -> dict[str, Any]:
    return {
        "TableName": store._tables.streams,
        "KeyConditionExpression": "entity_shard = :shard AND entity_key = :key",
        "ExpressionAttributeValues": {":shard": {"S": _shard_name()}, ":key": {"S": str(KEY)}},
    }


def _shard_name() -> str:
    return str(stream_item_key(KEY)["entity_shard"]["S"])


def test_keeps_ninety_nine_large_payloads_of_one_append_together(
    store: DynamoDBEventStore, transactions: Times
) -> None:
    events = [incompressible(an_event(second), 60_000) for second in range(1, 100)]
    put(store, *events)
    assert transactions.asked == 1
    assert logged(store) == events


@pytest.mark.parametrize("size", [390_000, 410_000, 600_000, 1_600_000])
def test_keeps_an_incompressible_payload_to_the_byte(store: DynamoDBEventStore, size: int) -> None:
    event = incompressible(an_event(1), size)
    assert put(store, an_event(0), event, an_event(2))[1] == Appended(RECORDED, 2)
    assert logged(store) == [an_event(0), event, an_event(2)]


def test_keeps_a_payload_larger_than_a_transaction(store: DynamoDBEventStore) -> None:
    event = incompressible(an_event(1), 4_600_000)
    assert put(store, event) == [Appended(RECORDED, 1)]
    assert logged(store) == [event]


def test_shows_nothing_of_large_payloads_whose_transaction_never_came(
    store: DynamoDBEventStore, connection: Connection
) -> None:
    def die(**_: Any) -> None:
        raise KeyboardInterrupt

    events = [incompressible(an_event(second), 300_000) for second in range(1, 20)]
    with hooked(connection, TRANSACTIONS, die), pytest.raises(KeyboardInterrupt):
        put(store, *events)
    assert (logged(store), store.heads([KEY])) == ([], {})
    assert [one.version for one in put(store, *events)] == list(range(1, 20))


def test_does_not_name_an_entity_twice(store: DynamoDBEventStore) -> None:
    put_many(store, [a_stream(1), a_stream(1, "Lead")], 1)
    put_many(store, [a_stream(2), a_stream(2, "Lead")], 1)
    assert store.entity_names() == ["Account", "Lead"]


def test_keeps_a_stream_parked_while_it_gets_events(store: DynamoDBEventStore) -> None:
    put(store, an_event(1))
    store.move_watermarks([Watermark(KEY, 1, 1)])
    store.set_blocked([KEY], blocked=True)
    put(store, an_event(2))
    assert store.pending_streams(10) == []
    store.set_blocked([KEY], blocked=False)
    assert [head.stream for head in store.pending_streams(10)] == [KEY]


def test_refuses_one_of_many_without_holding_up_the_rest(store: DynamoDBEventStore) -> None:
    put_many(store, streams(3), 1)
    appends = [StreamAppend(key, [an_event(2, key)], 1 if key != a_stream(2) else 5) for key in streams(3)]
    assert store.append(appends, NOW)[1] == AppendResult(a_stream(2), conflict=1)
    assert [head.version for head in store.heads(streams(3)).values()] == [2, 1, 2]
