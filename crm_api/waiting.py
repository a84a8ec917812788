"""Waiting, within bounds, until a delivery's changes can be read."""

import time
from collections.abc import Callable
from functools import cache
from threading import BoundedSemaphore

from django.conf import settings

from crm_events.selectors import DeliveryStatus

MAX_WAIT_SECONDS = 30
DONE = "projected"
_FIRST_POLL_SECONDS = 0.05
_LAST_POLL_SECONDS = 0.1


class Waiters:
    """A bounded number of requests that wait; one too many is answered at once, so that threads are left to work."""

    def __init__(
        self,
        slots: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._slots = BoundedSemaphore(slots)
        self._clock = clock
        self._sleep = sleep

    def wait(self, read: Callable[[], DeliveryStatus | None], seconds: float) -> DeliveryStatus | None:
        """Return the status once it is ``projected``, or after ``seconds`` whatever it is by then."""
        status = read()
        if _is_over(status) or seconds <= 0 or not self._slots.acquire(blocking=False):
            return status
        try:
            return self._poll(read, status, seconds)
        finally:
            self._slots.release()

    def _poll(
        self, read: Callable[[], DeliveryStatus | None], status: DeliveryStatus | None, seconds: float
    ) -> DeliveryStatus | None:
        deadline = self._clock() + seconds
        pause = _FIRST_POLL_SECONDS
        while not _is_over(status) and (left := deadline - self._clock()) > 0:
            self._sleep(min(pause, left))
            pause = min(pause * 1.1, _LAST_POLL_SECONDS)
            status = read()
        return status


def _is_over(status: DeliveryStatus | None) -> bool:
    return status is None or status.status == DONE


@cache
def waiters() -> Waiters:
    """Return the process's waiters."""
    return Waiters(settings.CRM_API_MAX_WAITERS)
