"""Create the tables, or say how they differ from what they must be."""

import time
from collections.abc import Iterator, Sequence
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
            yield Finding(subject, Condition.CREATED, "" if _is_ready(found) else _STILL_BUILDING)
        elif wrong := _differences(schema, found):
            yield Finding(subject, Condition.DIFFERENT, wrong)
            return
        else:
            # Nothing about a table can be changed while something else about it is.
            found = self._wait(schema.name) if change else found
            yield Finding(subject, *_state_of(found["TableStatus"]))
        yield from self._look_inside(schema, found, change=change and _is_ready(found))

    def _look_inside(self, schema: TableSchema, found: Description, *, change: bool) -> Iterator[Finding]:
        for name, key in schema.global_indexes.items():
            finding, found = self._look_at_index(schema, (name, key), found, change=change)
            change = change and _is_ready(found)
            yield finding
        if schema.streams:
            finding, found = self._look_at_stream(schema.name, found, change=change)
            yield finding
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
            found = self._connection.describe(table) or {"TableStatus": "CREATING"}
            if _is_ready(found) or time.monotonic() > end:
                return found
            time.sleep(pause)
            pause = min(pause * 1.5, 5.0)

    def _look_at_index(
        self, schema: TableSchema, index: tuple[str, KeySchema], found: Description, *, change: bool
    ) -> tuple[Finding, Description]:
        name, key = index
        subject = f"index {name} of table {schema.name}"
        there = {one["IndexName"]: one for one in found.get("GlobalSecondaryIndexes", ())}
        if name in there:
            return Finding(subject, *_index_state(key, there[name])), found
        if not change:
            return Finding(subject, Condition.MISSING, "Create it: manage.py provision."), found
        # One at a time: DynamoDB takes one new index in a request, and the next when that is ready.
        request = {
            "AttributeDefinitions": schema.attributes(),
            "GlobalSecondaryIndexUpdates": [{"Create": _index(*index)}],
        }
        found = self._update(schema.name, **request)
        return Finding(subject, Condition.CREATED, "" if _is_ready(found) else _STILL_BUILDING), found

    def _look_at_stream(self, table: str, found: Description, *, change: bool) -> tuple[Finding, Description]:
        subject = f"stream of table {table}"
        stream = found.get("StreamSpecification", {})
        if not stream.get("StreamEnabled"):
            wanted = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
            found = self._update(table, StreamSpecification=wanted) if change else found
            return _switched(subject, change=change), found
        if stream["StreamViewType"] in _IMAGES_WITH_NEW:
            return Finding(subject, Condition.READY), found
        detail = f"It carries {stream['StreamViewType']}. Switch it off, then run manage.py provision."
        return Finding(subject, Condition.DIFFERENT, detail), found

    def _look_at_protection(self, table: str, found: Description, *, change: bool) -> Finding:
        subject = f"deletion protection of table {table}"
        if found.get("DeletionProtectionEnabled"):
            return Finding(subject, Condition.READY)
        if change:
            self._update(table, DeletionProtectionEnabled=True)
        return _switched(subject, change=change)

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
        if change:
            wanted = {"PointInTimeRecoveryEnabled": True}
            self._connection.call("update_continuous_backups", TableName=table, PointInTimeRecoverySpecification=wanted)
        return _switched(subject, change=change)

    def _update(self, table: str, **changes: Any) -> Description:
        self._connection.call("update_table", TableName=table, **changes)
        return self._wait(table)


def _switched(subject: str, *, change: bool) -> Finding:
    if change:
        return Finding(subject, Condition.CHANGED, "It was off and is on now.")
    return Finding(subject, Condition.MISSING, "It is off. Switch it on: manage.py provision.")


def _is_ready(found: Description) -> bool:
    """Say whether a table and all its indexes are there and being used, not made or changed."""
    indexes = found.get("GlobalSecondaryIndexes", ())
    return {found["TableStatus"], *(index["IndexStatus"] for index in indexes)} == {"ACTIVE"}


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
