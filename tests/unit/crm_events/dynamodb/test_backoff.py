import pytest

from crm_events.adapters.dynamodb.backoff import Backoff
from crm_events.ports.event_store import EventStoreUnavailableError


@pytest.fixture
def bounds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the longest each wait could have been; nobody waits."""
    asked: list[float] = []

    def longest(_: float, longest_seconds: float) -> float:
        asked.append(longest_seconds)
        return 0.0

    monkeypatch.setattr("crm_events.adapters.dynamodb.backoff._RANDOM.uniform", longest)
    return asked


def test_waits_up_to_twice_as_long_each_time_within_a_bound(bounds: list[float]) -> None:
    backoff = Backoff(tries=6, first_seconds=1.0, longest_seconds=5.0)
    for _ in range(5):
        backoff.wait("busy")
    assert bounds == [1.0, 2.0, 4.0, 5.0, 5.0]


@pytest.mark.usefixtures("bounds")
def test_gives_up_after_the_last_try_and_says_why() -> None:
    backoff = Backoff(tries=2)
    backoff.wait("busy")
    with pytest.raises(EventStoreUnavailableError, match="busy"):
        backoff.wait("busy")
