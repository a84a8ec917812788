from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from crm_api.freshness import Freshness
from crm_events.ports.event_store import EventStoreUnavailableError, StoreStatistics

NOW = datetime(2026, 10, 6, 7, 20, tzinfo=UTC)


class _Log:
    """Statistics that change with every reading."""

    def __init__(self) -> None:
        self.readings = 0
        self.is_down = False
        self.clock = 0.0

    def read(self) -> StoreStatistics:
        self.readings += 1
        if self.is_down:
            raise EventStoreUnavailableError
        return StoreStatistics(1, 0, 0, self.readings, NOW)

    def freshness(self) -> Callable[[], str]:
        fresh = Freshness(self.read, lambda: self.clock)
        return lambda: fresh.headers(NOW)["X-Read-Model-Lag-Events"]


def test_reads_the_log_once_a_second() -> None:
    log = _Log()
    lag = log.freshness()
    seen = []
    for second in (0.0, 0.5, 0.99, 1.0, 1.5):
        log.clock = second
        seen.append(lag())
    assert seen == ["1", "1", "1", "2", "2"]


def test_counts_seconds_since_the_oldest_pending_event() -> None:
    fresh = Freshness(_Log().read, lambda: 0.0)
    assert fresh.headers(NOW + timedelta(seconds=3.25))["X-Read-Model-Lag-Seconds"] == "3.2"
    assert fresh.headers(NOW - timedelta(seconds=1))["X-Read-Model-Lag-Seconds"] == "0.0"


def test_does_not_know_while_the_log_is_down_and_asks_it_once_a_second() -> None:
    log = _Log()
    lag = log.freshness()
    log.is_down = True
    assert [lag(), lag()] == ["unknown", "unknown"]
    assert log.readings == 1
    log.is_down, log.clock = False, 1.0
    assert lag() == "2"
