"""Tables of a test's own in a running DynamoDB."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

from botocore.exceptions import ClientError

from crm_events.adapters.dynamodb.connection import Connection
from crm_events.adapters.dynamodb.event_store import DynamoDBEventStore
from crm_events.adapters.dynamodb.tables import Tables


def a_prefix() -> str:
    """Return a prefix that no other test has."""
    return f"test-{uuid4().hex[:12]}"


@contextmanager
def a_store(connection: Connection, prefix: str = "") -> Iterator[DynamoDBEventStore]:
    """Give a store with tables of its own, and remove them."""
    prefix = prefix or a_prefix()
    try:
        # No stream: DynamoDB Local writes many times slower with one.
        store = DynamoDBEventStore(prefix, connection, change_stream=False)
        store.provision()
        yield store
    finally:
        remove_tables(connection, prefix)


def remove_tables(connection: Connection, prefix: str) -> None:
    """Remove a store's tables, whichever there are."""
    for schema in Tables(prefix).schemas():
        if connection.describe(schema.name) is None:
            continue
        with suppress(ClientError):  # it may be unprotected already
            connection.call("update_table", TableName=schema.name, DeletionProtectionEnabled=False)
        connection.call("delete_table", TableName=schema.name)
