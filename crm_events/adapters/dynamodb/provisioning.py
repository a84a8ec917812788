"""Create the tables, or say how they differ from what they must be."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from botocore.exceptions import ClientError

from crm_events.adapters.dynamodb.connection import Connection
from crm_events.adapters.dynamodb.tables import KeySchema, Tables, TableSchema
from crm_events.ports.provisioning import Condition, Finding

Description = dict[str, Any]
# Filling a new index of a large table takes hours; nobody waits that long at a terminal.
_LONGEST_WAIT_SECONDS: Final = 600.0
_FIRST_WAIT_SECONDS: Final = 0.1
_STILL_BUILDING = "DynamoDB is still building it. Run manage.py provision again later to see whether it is done."
_NOT_HERE = frozenset({"UnknownOperationException"})
_IMAGES_WITH_NEW = frozenset({"NEW_IMAGE", "NEW_AND_OLD_IMAGES"})


class Provisioner:
    """Look at the tables, or bring them to what they must be."""

    def __init__(self, connection: Connection, tables: Tables, patience: float = _LONGEST_WAIT_SECONDS) -> None:
        self._connection = connection
        self._schemas = tables.schemas()
        self._patience = patience

    def verify(self) -> list[Finding]:
        """Say how every table stands; change nothing."""
        return [finding for schema in self._schemas for finding in self._look(schema, change=False)]

    def provision(self) -> list[Finding]:
        """Create what is missing and change what can be changed safely."""
        return [finding for schema in self._schemas for finding in self._look(schema, change=True)]

    def _look(self, schema: TableSchema, *, change: bool) -> Iterator[Finding]:
        subject = f"table {schema.name}"
        found = self._connection.describe(schema.name)
        if found is None and not change:
            yield Finding(subject, Condition.MISSING, "Create it: manage.py provision.")
            return
        if found is None:
            found = self._create(schema)
            yield Finding(subject, Condition.CREATED)
        elif wrong := _differences(schema, found):
            yield Finding(subject, Condition.DIFFERENT, wrong)
            return
        else:
            yield Finding(subject, *_state_of(found["TableStatus"]))
        yield from self._look_at_indexes(schema, found, change=change)
        if schema.streams:
            yield self._look_at_stream(schema.name, found, change=change)
        if schema.irreplaceable:
            yield self._look_at_protection(schema.name, found, change=change)
            yield self._look_at_backups(schema.name, change=change)

    def _create(self, schema: TableSchema) -> Description:
        """Create a table with all that can be given at once, and return what there is when it is ready."""
        request: dict[str, Any] = {
            "TableName": schema.name,
            "KeySchema": schema.key.as_request(),
            "AttributeDefinitions": schema.attributes(),
            "BillingMode": "PAY_PER_REQUEST",
            "DeletionProtectionEnabled": schema.irreplaceable,
        }
        if schema.global_indexes:
            request["GlobalSecondaryIndexes"] = [_index(*index) for index in schema.global_indexes.items()]
        if schema.local_indexes:
            request["LocalSecondaryIndexes"] = [_index(*index) for index in schema.local_indexes.items()]
        if schema.streams:
            request["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
        self._connection.call("create_table", **request)
        return self._wait(schema.name)

    def _wait(self, table: str) -> Description:
        """Wait until table and indexes are ready, and return how they are then, or when patience ends."""
        end = time.monotonic() + self._patience
        pause = _FIRST_WAIT_SECONDS
        while True:
            found = self._connection.describe(table) or {}
            indexes = found.get("GlobalSecondaryIndexes", ())
            states = {found.get("TableStatus"), *(index["IndexStatus"] for index in indexes)}
            if states == {"ACTIVE"} or time.monotonic() > end:
                return found
            time.sleep(pause)
            pause = min(pause * 1.5, 5.0)

    def _look_at_indexes(self, schema: TableSchema, found: Description, *, change: bool) -> Iterator[Finding]:
        there = {index["IndexName"]: index for index in found.get("GlobalSecondaryIndexes", ())}
        for name, key in schema.global_indexes.items():
            subject = f"index {name} of table {schema.name}"
            if name in there:
                yield Finding(subject, *_index_state(key, there[name]))
            elif change:
                # One at a time: DynamoDB takes one new index in a request, and the next when that is ready.
                state = self._create_index(schema, name)
                yield Finding(subject, Condition.CREATED, "" if state == "ACTIVE" else _STILL_BUILDING)
            else:
                yield Finding(subject, Condition.MISSING, "Create it: manage.py provision.")

    def _create_index(self, schema: TableSchema, name: str) -> str:
        self._connection.call(
            "update_table",
            TableName=schema.name,
            AttributeDefinitions=schema.attributes(),
            GlobalSecondaryIndexUpdates=[{"Create": _index(name, schema.global_indexes[name])}],
        )
        indexes = self._wait(schema.name).get("GlobalSecondaryIndexes", ())
        return next((str(i["IndexStatus"]) for i in indexes if i["IndexName"] == name), "CREATING")

    def _look_at_stream(self, table: str, found: Description, *, change: bool) -> Finding:
        subject = f"stream of table {table}"
        stream = found.get("StreamSpecification", {})
        if stream.get("StreamEnabled"):
            if stream["StreamViewType"] in _IMAGES_WITH_NEW:
                return Finding(subject, Condition.READY)
            detail = f"It carries {stream['StreamViewType']}. Switch it off, then run manage.py provision."
            return Finding(subject, Condition.DIFFERENT, detail)
        wanted = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
        return self._switch_on(subject, lambda: self._update(table, StreamSpecification=wanted), change=change)

    def _look_at_protection(self, table: str, found: Description, *, change: bool) -> Finding:
        subject = f"deletion protection of table {table}"
        if found.get("DeletionProtectionEnabled"):
            return Finding(subject, Condition.READY)
        return self._switch_on(subject, lambda: self._update(table, DeletionProtectionEnabled=True), change=change)

    def _look_at_backups(self, table: str, *, change: bool) -> Finding:
        subject = f"point-in-time recovery of table {table}"
        try:
            answer = self._connection.call("describe_continuous_backups", TableName=table)
        except ClientError as error:
            if error.response["Error"].get("Code") not in _NOT_HERE:
                raise
            return Finding(subject, Condition.UNSUPPORTED, "This endpoint has no point-in-time recovery.")
        found = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        if found.get("PointInTimeRecoveryStatus") == "ENABLED":
            return Finding(subject, Condition.READY)
        return self._switch_on(subject, lambda: self._enable_backups(table), change=change)

    def _switch_on(self, subject: str, switch: Callable[[], None], *, change: bool) -> Finding:
        if not change:
            return Finding(subject, Condition.MISSING, "It is off. Switch it on: manage.py provision.")
        switch()
        return Finding(subject, Condition.CHANGED, "It was off and is on now.")

    def _update(self, table: str, **changes: Any) -> None:
        self._connection.call("update_table", TableName=table, **changes)
        self._wait(table)

    def _enable_backups(self, table: str) -> None:
        wanted = {"PointInTimeRecoveryEnabled": True}
        self._connection.call("update_continuous_backups", TableName=table, PointInTimeRecoverySpecification=wanted)


def _index(name: str, key: KeySchema) -> dict[str, Any]:
    return {"IndexName": name, "KeySchema": key.as_request(), "Projection": {"ProjectionType": "KEYS_ONLY"}}


def _differences(schema: TableSchema, found: Description) -> str:
    """Say what about a table cannot be changed once it is made, and differs."""
    wrong = []
    if (problem := _key_problem(schema.key, found["KeySchema"])) or _types_differ(schema, found):
        wrong.append(problem or "the types of its key attributes differ")
    there = {index["IndexName"]: index["KeySchema"] for index in found.get("LocalSecondaryIndexes", ())}
    for name, key in schema.local_indexes.items():
        if name not in there:
            wrong.append(f"it has no local index {name}")
        elif problem := _key_problem(key, there[name]):
            wrong.append(f"local index {name}: {problem}")
    if not wrong:
        return ""
    return f"{'; '.join(wrong)}. That cannot be changed: choose another DYNAMODB_TABLE_PREFIX, or remove this table."


def _types_differ(schema: TableSchema, found: Description) -> bool:
    types = {one["AttributeName"]: one["AttributeType"] for one in found["AttributeDefinitions"]}
    return any(types.get(name, kind) != kind for name, kind in (schema.key.partition, schema.key.sort))


def _key_problem(key: KeySchema, found: Sequence[dict[str, str]]) -> str:
    names = {one["KeyType"]: one["AttributeName"] for one in found}
    if names == {"HASH": key.partition[0], "RANGE": key.sort[0]}:
        return ""
    return f"its key is {', '.join(names.values())} and must be {key.partition[0]}, {key.sort[0]}"


def _index_state(key: KeySchema, found: Description) -> tuple[Condition, str]:
    if problem := _key_problem(key, found["KeySchema"]):
        return Condition.DIFFERENT, f"{problem}. Delete the index, then run manage.py provision."
    return _state_of(found["IndexStatus"])


def _state_of(status: str) -> tuple[Condition, str]:
    if status == "ACTIVE":
        return Condition.READY, ""
    # A table that is being updated serves all the while.
    return (
        (Condition.READY, "")
        if status == "UPDATING"
        else (Condition.DIFFERENT, f"Its state is {status}. {_STILL_BUILDING}")
    )
