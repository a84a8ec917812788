from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from crm_events.adapters.dynamodb.connection import Connection
from crm_events.adapters.dynamodb.event_store import DynamoDBEventStore
from tests.engines.dynamodb_tables import a_store


@pytest.fixture
def connection(dynamodb_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Connection:
    """Return a connection of the test's own: what it learns of throttling slows no other test down."""
    # Between its own tries botocore waits for seconds.
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    return Connection(dynamodb_endpoint)


@pytest.fixture
def store(connection: Connection) -> Iterator[DynamoDBEventStore]:
    with a_store(connection) as store:
        yield store
