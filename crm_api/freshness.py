"""How far the read model is behind the log, told in the headers of every read answer."""

import time
from collections.abc import Callable
from datetime import datetime
from threading import Lock

from django.db import OperationalError

from crm_events.backends import event_store
from crm_events.ports.event_store import EventStoreUnavailableError, StoreStatistics

LAG_EVENTS = "X-Read-Model-Lag-Events"
LAG_SECONDS = "X-Read-Model-Lag-Seconds"
UNKNOWN = "unknown"
MAX_AGE_SECONDS = 1.0


class Freshness:
    """The log's statistics, read at most once a second by one thread while the others go on with the last ones."""

    def __init__(self, read: Callable[[], StoreStatistics], clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._lock = Lock()
        self._statistics: StoreStatistics | None = None
        self._read_at: float | None = None

    def headers(self, now: datetime) -> dict[str, str]:
        """Return the headers: events not yet projected, and for how many seconds the oldest has been waiting.

        Both are ``unknown`` while the log does not answer, which must not take the read model's answer away.
        """
        statistics = self._current()
        if statistics is None:
            return {LAG_EVENTS: UNKNOWN, LAG_SECONDS: UNKNOWN}
        since = statistics.oldest_pending_since
        waited = max(0.0, (now - since).total_seconds()) if since else 0.0
        return {LAG_EVENTS: str(statistics.pending_events), LAG_SECONDS: f"{waited:.1f}"}

    def _current(self) -> StoreStatistics | None:
        # Only the very first readers wait; later ones take what is there while one of them refreshes it.
        if self._is_stale() and self._lock.acquire(blocking=self._read_at is None):
            try:
                if self._is_stale():
                    self._refresh()
            finally:
                self._lock.release()
        return self._statistics

    def _is_stale(self) -> bool:
        return self._read_at is None or self._clock() - self._read_at >= MAX_AGE_SECONDS

    def _refresh(self) -> None:
        try:
            self._statistics = self._read()
        except (EventStoreUnavailableError, OperationalError):
            self._statistics = None
        self._read_at = self._clock()


freshness = Freshness(lambda: event_store().statistics())
