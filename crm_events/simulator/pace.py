"""Life at an even pace: a thread that lets a transaction happen every so often."""

import threading
import time

from crm_events.simulator.life.course import Life

_LONGEST_WAIT = 0.5
# After a longer pause (a suspended laptop) what was missed is not made up for.
_MOST_LAG_SECONDS = 10.0
_MOST_A_MINUTE = 60_000


class Pace:
    """Let ``rate`` transactions a minute happen between ``start`` and ``stop``; 0 lets none."""

    def __init__(self, life: Life, rate: float = 0) -> None:
        self.life = life
        self._rate = rate
        self._stop = threading.Event()
        self._changed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="life", daemon=True)

    @property
    def rate(self) -> float:
        """Return how many transactions there are a minute."""
        return self._rate

    @rate.setter
    def rate(self, rate: float) -> None:
        self._rate = min(max(rate, 0.0), _MOST_A_MINUTE)
        self._changed.set()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the transaction under way."""
        self._stop.set()
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join(timeout=30)

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stop.is_set():
            self.life.commit_due(self.life.now())
            if not self._rate:
                self._changed.wait(_LONGEST_WAIT)
                self._changed.clear()
                due = time.monotonic()
                continue
            due = max(due + 60 / self._rate, time.monotonic() - _MOST_LAG_SECONDS)
            if self._wait_until(due):
                self.life.step()

    def _wait_until(self, due: float) -> bool:
        """Say whether the moment came, and no other pace or end before it."""
        while (left := due - time.monotonic()) > 0:
            if self._changed.wait(min(left, _LONGEST_WAIT)):
                self._changed.clear()
                return False
            self.life.commit_due(self.life.now())
        return not self._stop.is_set()
