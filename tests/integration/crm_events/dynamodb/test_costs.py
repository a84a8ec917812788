from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from string import ascii_letters
from typing import Any

from crm_events.adapters.dynamodb.connection import Connection
from crm_events.adapters.dynamodb.event_store import DynamoDBEventStore
from crm_events.adapters.dynamodb.sizes import item_size
from crm_events.adapters.dynamodb.tables import stream_item_key
from crm_events.domain.events import NewEvent
from crm_events.domain.heads import Watermark
from tests.engines.dynamodb_faults import hooked
from tests.integration.crm_events.dynamodb.logs import KEY, an_event, put, put_many, streams


def of_a_kilobyte(event: NewEvent) -> NewEvent:
    letters = Random(event.position).choices(ascii_letters, k=1_022)  # noqa: S311  # the same on every run
    return replace(event, raw=f'"{"".join(letters)}"')


@contextmanager
def counting_calls(connection: Connection) -> Iterator[Counter[str]]:
    calls: Counter[str] = Counter()

    def count(model: Any, **_: Any) -> None:
        calls[model.name] += 1

    with hooked(connection, "before-call.dynamodb", count):
        yield calls


@contextmanager
def counting_units(connection: Connection) -> Iterator[Counter[str]]:
    """Add up by table what the engine says; of a transaction it counts only one action for each table."""
    units: Counter[str] = Counter()

    def count(parsed: dict[str, Any], **_: Any) -> None:
        consumed = parsed.get("ConsumedCapacity") or []
        for part in consumed if isinstance(consumed, list) else [consumed]:
            units[part["TableName"].rpartition("-")[2]] += part["CapacityUnits"]

    with hooked(connection, "after-call.dynamodb.TransactWriteItems", count):
        yield units


def test_appends_to_a_hundred_streams_with_three_calls(store: DynamoDBEventStore, connection: Connection) -> None:
    put_many(store, streams(100), 1)
    with counting_calls(connection) as calls:
        put_many(store, streams(100), 2)
    assert calls == {"BatchGetItem": 1, "TransactWriteItems": 2}


def test_settles_a_hundred_streams_with_four_calls_and_no_look_at_their_heads(
    store: DynamoDBEventStore, connection: Connection
) -> None:
    put_many(store, streams(100), 1)
    with counting_calls(connection) as calls:
        store.move_watermarks([Watermark(key, 1, 1, dirty=False) for key in streams(100)])
    assert calls == {"BatchExecuteStatement": 4}


def test_writes_a_kilobyte_for_two_units_and_its_head_for_four_at_most(
    store: DynamoDBEventStore, connection: Connection
) -> None:
    put(store, of_a_kilobyte(an_event(1)))
    with counting_units(connection) as waiting:
        put(store, of_a_kilobyte(an_event(2)))
    store.move_watermarks([Watermark(KEY, 2, 2)])
    with counting_units(connection) as settled:
        put(store, of_a_kilobyte(an_event(3)))
    # The index of pending streams is written only when a stream begins to wait.
    assert waiting == {"events": 2, "streams": 2}
    assert settled == {"events": 2, "streams": 4}


def test_keeps_a_head_small(store: DynamoDBEventStore, connection: Connection) -> None:
    put(store, an_event(1))
    key = stream_item_key(KEY)
    head = connection.call("get_item", TableName=store._tables.streams, Key=key)["Item"]
    assert item_size(head) < 400
