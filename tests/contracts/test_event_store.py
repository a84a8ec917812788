import pytest

from crm_events.adapters.memory import MemoryEventStore
from crm_events.adapters.sql.event_store import SQLEventStore
from crm_events.ports.event_store import EventStore
from tests.contracts.event_store import EventStoreContract


class TestMemoryEventStore(EventStoreContract):
    @pytest.fixture
    def store(self) -> EventStore:
        return MemoryEventStore()


@pytest.mark.django_db(transaction=True)
class TestSQLEventStore(EventStoreContract):
    @pytest.fixture
    def store(self, sql_alias: str) -> EventStore:
        return SQLEventStore(using=sql_alias)
