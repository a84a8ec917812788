from collections.abc import Iterator

import pytest

from crm_events.adapters.dynamodb.connection import Connection
from crm_events.adapters.dynamodb.event_store import DynamoDBEventStore
from tests.contracts.event_store import EventStoreContract
from tests.engines.dynamodb_tables import a_store


@pytest.fixture(scope="session")
def connection(dynamodb_endpoint: str) -> Connection:
    return Connection(dynamodb_endpoint)


class TestDynamoDBEventStore(EventStoreContract):
    @pytest.fixture
    def store(self, connection: Connection) -> Iterator[DynamoDBEventStore]:
        with a_store(connection) as store:
            yield store
