from typing import Any

import pytest

from crm_projections.adapters.memory import MemoryBroadcaster
from crm_projections.adapters.sql.outbox import OutboxBroadcaster
from crm_projections.ports.broadcaster import Broadcaster
from tests.contracts.broadcaster import BroadcasterContract


class TestMemoryBroadcaster(BroadcasterContract):
    @pytest.fixture
    def broadcaster(self) -> Broadcaster:
        return MemoryBroadcaster()

    def arrived(self, broadcaster: Broadcaster) -> list[tuple[str, str, Any]]:
        assert isinstance(broadcaster, MemoryBroadcaster)
        return sorted((message.id, message.entity, message.detail) for message in broadcaster.messages)


@pytest.mark.django_db
class TestOutboxBroadcaster(BroadcasterContract):
    @pytest.fixture
    def broadcaster(self, sql_alias: str) -> Broadcaster:
        return OutboxBroadcaster(using=sql_alias)

    def arrived(self, broadcaster: Broadcaster) -> list[tuple[str, str, Any]]:
        assert isinstance(broadcaster, OutboxBroadcaster)
        return sorted((message.message_id, message.entity, message.detail) for message in broadcaster.recent(2000))
