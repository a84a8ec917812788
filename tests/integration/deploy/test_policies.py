"""The policies allow what the service does, found out by doing it, and little else."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import shake_256
from typing import Any

import pytest

from crm_events.adapters.dynamodb.connection import Connection
from crm_events.adapters.dynamodb.event_store import DynamoDBEventStore
from crm_events.domain.heads import SavedState, Watermark
from crm_events.ports.event_store import HistoryOrder, HistoryQuery, ReadRequest, StreamAppend, StreamFlag
from tests.builders import TIMESTAMP, a_new_event, a_stream
from tests.engines.dynamodb_tables import a_store
from tests.templates import properties

NOW = datetime(2026, 10, 6, 7, 20, 9, tzinfo=UTC)
STREAM = a_stream()
Calls = set[tuple[str, str]]
_TRANSACTED = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}


class Recorder:
    """Which actions were asked for on which table or index, in the words of policies."""

    def __init__(self, connection: Connection) -> None:
        self.calls: Calls = set()
        events: Any = connection.client.meta.events
        events.register("before-call.dynamodb", self._record)

    def _record(self, model: Any, params: dict[str, Any], **_: object) -> None:
        body = json.loads(params["body"])
        for action, table, index in _actions(model.name, body):
            resource = {"events": "EventsTable.Arn", "streams": "StreamsTable.Arn", "states": "StatesTable.Arn"}
            suffix = f"/index/{index}" if index else ""
            self.calls.add((f"dynamodb:{action}", resource[table.rpartition("-")[2]] + suffix))


def _actions(operation: str, body: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    match operation:
        case "TransactWriteItems":
            for item in body["TransactItems"]:
                for kind, request in item.items():
                    yield _TRANSACTED[kind], request["TableName"], ""
        case "BatchExecuteStatement":
            for statement in body["Statements"]:
                verb, table = re.fullmatch(r"(\w+) .*?\"([^\"]+)\".*", statement["Statement"]).groups()  # type: ignore[union-attr]
                yield f"PartiQL{verb.title()}", table, ""
        case "BatchGetItem" | "BatchWriteItem":
            for table in body["RequestItems"]:
                yield operation, table, ""
        case _:
            yield operation, body["TableName"], body.get("IndexName", "")


@pytest.fixture
def connection(dynamodb_endpoint: str) -> Connection:
    return Connection(dynamodb_endpoint)


@pytest.fixture
def store(connection: Connection) -> Iterator[DynamoDBEventStore]:
    with a_store(connection) as store:
        yield store


def as_web(store: DynamoDBEventStore) -> None:
    """Do what requests and operators ask of the store."""
    late = a_new_event("UPDATE", {"Name": "x"}, timestamp=TIMESTAMP - 5000)
    large = [
        a_new_event("UPDATE", {"Description": incompressible(number)}, timestamp=TIMESTAMP + number * 1000)
        for number in range(1, 12)  # together too large for one transaction
    ]
    for events in ([a_new_event("CREATE")], [late], large):
        store.append([StreamAppend(STREAM, events)], NOW)
    for order in HistoryOrder:
        store.history(HistoryQuery(STREAM, order))
    store.heads([STREAM])
    store.entity_names()
    store.list_streams("Account", 10)
    store.flagged_streams(StreamFlag.DIRTY, 10)
    store.flagged_streams(StreamFlag.BLOCKED, 10)
    store.set_blocked([STREAM], blocked=True)
    store.set_blocked([STREAM], blocked=False)
    store.statistics()
    store.ping()
    store.verify()


def incompressible(number: int) -> str:
    return shake_256(str(number).encode()).hexdigest(400_000)


def as_worker(store: DynamoDBEventStore) -> None:
    """Do what workers do beyond that."""
    as_web(store)
    (event,) = store.read([ReadRequest(STREAM, "", 1)])[STREAM]
    store.pending_streams(10)
    store.pending_streams(10, NOW + timedelta(hours=1))
    store.save_states([SavedState(STREAM, 1, event.position, "f" * 16, b"{}")])
    store.save_states([SavedState(STREAM, 2, event.position, "f" * 16, b"{}")])
    store.load_states([STREAM])
    store.move_watermarks([Watermark(STREAM, 3, 3, dirty=True)])
    store.purge_states("Account")
    store.purge_states()


def allowed_by(policy: str) -> Calls:
    statements = properties(policy)["PolicyDocument"]["Statement"]
    return {
        (action, resource)
        for statement in statements
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


def as_list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def of_table(call: tuple[str, str]) -> tuple[str, str]:
    return call[0], re.sub(r"/index/.+", "/index/*", call[1])


@pytest.mark.parametrize(("policy", "life"), [("WebPolicy", as_web), ("WorkerPolicy", as_worker)])
def test_a_policy_allows_what_is_done_and_nothing_that_is_not(
    store: DynamoDBEventStore, connection: Connection, policy: str, life: Callable[[DynamoDBEventStore], None]
) -> None:
    recorder = Recorder(connection)

    life(store)

    allowed = {call for call in allowed_by(policy) if call[0].startswith("dynamodb:")}
    assert {of_table(call) for call in recorder.calls} - allowed == set()
    # Asked for with those of the others; nobody needs a backup of what is made again.
    spare = ("dynamodb:DescribeContinuousBackups", "StatesTable.Arn")
    assert allowed - {of_table(call) for call in recorder.calls} == {spare}


def test_no_policy_allows_to_make_or_to_remove_a_table() -> None:
    words = {action for policy in ("WebPolicy", "WorkerPolicy") for action, _ in allowed_by(policy)}
    assert not [word for word in words if re.search(r"\*|Delete(Item|Table)|Create|Update(Table|Continuous)", word)]


def test_only_workers_may_send_and_only_the_forwarder_reads_the_key() -> None:
    senders = {policy for policy in ("WebPolicy", "WorkerPolicy") if "events:PutEvents" in dict(allowed_by(policy))}
    assert senders == {"WorkerPolicy"}
    (forward,) = properties("ForwarderRole")["Policies"]
    allowed = {word for each in forward["PolicyDocument"]["Statement"] for word in as_list(each["Action"])}
    assert allowed == {
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "secretsmanager:GetSecretValue",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }
