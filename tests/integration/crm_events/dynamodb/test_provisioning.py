from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from crm_events.adapters.dynamodb.connection import Connection
from crm_events.adapters.dynamodb.event_store import DynamoDBEventStore
from crm_events.adapters.dynamodb.provisioning import Provisioner
from crm_events.adapters.dynamodb.tables import Tables
from crm_events.ports.event_store import EventStoreUnavailableError, StreamFlag
from crm_events.ports.provisioning import Condition, Finding
from tests.engines.dynamodb_faults import answering, hooked
from tests.engines.dynamodb_tables import a_prefix, remove_tables
from tests.integration.crm_events.dynamodb.logs import KEY, an_event, put
from tests.waiting import wait_until

READY, MISSING, CREATED, CHANGED = Condition.READY, Condition.MISSING, Condition.CREATED, Condition.CHANGED
BACKUPS = "point-in-time recovery of table "


@pytest.fixture
def prefix(connection: Connection) -> Iterator[str]:
    prefix = a_prefix()
    yield prefix
    remove_tables(connection, prefix)


@pytest.fixture
def empty(connection: Connection, prefix: str) -> DynamoDBEventStore:
    """Return a store whose tables nobody made."""
    return DynamoDBEventStore(prefix, connection)


def conditions(findings: Sequence[Finding], prefix: str) -> dict[str, Condition]:
    """Return how everything stands, but for the backups that the local engine does not have."""
    found = {finding.subject.replace(f"{prefix}-", ""): finding.condition for finding in findings}
    return {subject: condition for subject, condition in found.items() if not subject.startswith(BACKUPS)}


def finding_of(findings: Sequence[Finding], subject: str) -> Finding:
    (found,) = [finding for finding in findings if finding.subject == subject]
    return found


def test_finds_nothing_and_creates_nothing(empty: DynamoDBEventStore, prefix: str) -> None:
    expected = {f"table {name}": MISSING for name in ("events", "streams", "states")}
    assert conditions(empty.verify(), prefix) == conditions(empty.verify(), prefix) == expected
    assert "manage.py provision" in empty.verify()[0].detail


def test_creates_everything_and_then_finds_it_ready(empty: DynamoDBEventStore, prefix: str) -> None:
    made = conditions(empty.provision(), prefix)
    assert {made[f"table {name}"] for name in ("events", "streams", "states")} == {CREATED}
    again = conditions(empty.provision(), prefix)
    assert set(again.values()) == {READY}
    assert again == conditions(empty.verify(), prefix)
    assert again.keys() == made.keys()


def test_makes_tables_that_are_paid_by_request_protected_and_streamed(
    empty: DynamoDBEventStore, connection: Connection, prefix: str
) -> None:
    empty.provision()
    events, states = (connection.describe(f"{prefix}-{name}") or {} for name in ("events", "states"))
    assert events["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert events["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    assert (events["DeletionProtectionEnabled"], states["DeletionProtectionEnabled"]) == (True, False)


def test_makes_and_wants_no_stream_where_nobody_asks_for_one(connection: Connection, prefix: str) -> None:
    store = DynamoDBEventStore(prefix, connection, change_stream=False)
    try:
        assert not [finding for finding in [*store.provision(), *store.verify()] if "stream of" in finding.subject]
        assert "StreamSpecification" not in (connection.describe(f"{prefix}-events") or {})
    finally:
        remove_tables(connection, prefix)


def test_says_plainly_that_an_endpoint_has_no_backups(empty: DynamoDBEventStore, prefix: str) -> None:
    found = finding_of(empty.provision(), f"{BACKUPS}{prefix}-events")
    assert (found.condition, found.is_fault) == (Condition.UNSUPPORTED, False)


def _without_index(connection: Connection, table: str, index: str) -> None:
    connection.call("update_table", TableName=table, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": index}}])
    wait_until(lambda: index not in str(connection.describe(table)))


def test_adds_a_missing_index_that_finds_what_was_there_before(
    empty: DynamoDBEventStore, connection: Connection, prefix: str
) -> None:
    empty.provision()
    put(empty, an_event(1))
    empty.set_blocked([KEY], blocked=True)
    _without_index(connection, f"{prefix}-streams", "blocked")
    subject = f"index blocked of table {prefix}-streams"
    assert finding_of(empty.verify(), subject).condition is MISSING
    assert finding_of(empty.provision(), subject).condition is CREATED
    assert [head.stream for head in empty.flagged_streams(StreamFlag.BLOCKED, 5).heads] == [KEY]


def test_asks_for_provisioning_where_an_index_is_missing(
    empty: DynamoDBEventStore, connection: Connection, prefix: str
) -> None:
    empty.provision()
    _without_index(connection, f"{prefix}-streams", "pending")
    with pytest.raises(EventStoreUnavailableError, match=r"manage\.py provision"):
        empty.pending_streams(5)


def test_switches_protection_and_stream_on_again(
    empty: DynamoDBEventStore, connection: Connection, prefix: str
) -> None:
    empty.provision()
    table = f"{prefix}-events"
    connection.call("update_table", TableName=table, StreamSpecification={"StreamEnabled": False})
    connection.call("update_table", TableName=table, DeletionProtectionEnabled=False)
    subjects = [f"deletion protection of table {table}", f"stream of table {table}"]
    for findings, condition in ((empty.verify(), MISSING), (empty.provision(), CHANGED), (empty.verify(), READY)):
        assert {finding_of(findings, subject).condition for subject in subjects} == {condition}


def _make_table(connection: Connection, name: str, partition: str, sort: str) -> None:
    connection.call(
        "create_table",
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": partition, "KeyType": "HASH"},
            {"AttributeName": sort, "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in (partition, sort)],
    )


@pytest.mark.parametrize(
    ("partition", "sort", "word"),
    [
        ("id", "event_position", "its key is id, event_position"),
        ("entity_key", "event_position", "no local index late"),
    ],
)
def test_leaves_a_table_alone_that_is_another(
    empty: DynamoDBEventStore, connection: Connection, prefix: str, partition: str, sort: str, word: str
) -> None:
    _make_table(connection, f"{prefix}-events", partition, sort)
    found = finding_of(empty.provision(), f"table {prefix}-events")
    assert found.condition is Condition.DIFFERENT
    assert word in found.detail
    assert "DYNAMODB_TABLE_PREFIX" in found.detail


def test_does_not_wait_for_ever_for_an_index(empty: DynamoDBEventStore, connection: Connection, prefix: str) -> None:
    empty.provision()
    _without_index(connection, f"{prefix}-streams", "dirty")

    def unfinished(parsed: dict[str, Any], **_: Any) -> None:
        for index in parsed["Table"].get("GlobalSecondaryIndexes", ()):
            index["IndexStatus"] = "CREATING" if index["IndexName"] == "dirty" else "ACTIVE"

    with hooked(connection, "after-call.dynamodb.DescribeTable", unfinished):
        findings = Provisioner(connection, Tables(prefix), patience=0.0).provision()
    found = finding_of(findings, f"index dirty of table {prefix}-streams")
    assert found.condition is CREATED
    assert "provision again later" in found.detail


@pytest.mark.parametrize(("state", "condition"), [("ENABLED", READY), ("DISABLED", CHANGED)])
def test_switches_backups_on_where_they_are_off(
    empty: DynamoDBEventStore, connection: Connection, prefix: str, state: str, condition: Condition
) -> None:
    empty.provision()
    described = {"PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": state}}
    answers = {"ContinuousBackupsDescription": {"ContinuousBackupsStatus": "ENABLED", **described}}
    with (
        answering(connection, "DescribeContinuousBackups", 9, "", 200, **answers),
        answering(connection, "UpdateContinuousBackups", 9, "", 200, **answers) as updates,
    ):
        found = finding_of(empty.provision(), f"{BACKUPS}{prefix}-events")
    assert found.condition is condition
    assert updates.asked == (2 if condition is CHANGED else 0)


def test_raises_the_port_s_error_when_the_engine_refuses_for_now(
    empty: DynamoDBEventStore, connection: Connection
) -> None:
    with (
        answering(connection, "DescribeTable", 4, "ThrottlingException"),
        pytest.raises(EventStoreUnavailableError),
    ):
        empty.verify()
