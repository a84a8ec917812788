import time

import pytest
from botocore.config import Config

from crm_projections.adapters.eventbridge import EventBridgeBroadcaster, client


@pytest.fixture
def broadcaster() -> EventBridgeBroadcaster:
    return EventBridgeBroadcaster("crm", "client-management", 256 * 1024, "https://crm.example.com")


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pass over the pauses between attempts, and return what they would have been."""
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", made.append)
    return made


@pytest.fixture
def _no_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let boto3 take the first answer, for after a throttled call it waits by another clock than ours."""
    once = Config(retries={"mode": "standard", "total_max_attempts": 1})
    monkeypatch.setattr(client, "_CONFIG", client._CONFIG.merge(once))
