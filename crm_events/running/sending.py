"""Sending tasks to a broker that may be away, without letting everybody wait for it."""

import threading
import time
from collections.abc import Callable
from typing import Any

import structlog
from celery import current_app

# How long a broker that failed is left alone, and what of a failure still counts as "at once", in seconds.
_REST = 5.0
_AT_ONCE = 0.5
# Longest wait for the broker's word that it has a message, where it gives one.
_CONFIRM_SECONDS = 3
_log = structlog.get_logger(__name__)


class Sender:
    """Send tasks that may be lost, because a sweep finds whatever nobody finished.

    After a failure nothing is sent for a while; then a single sender tries, and the others go on without.
    ``clock`` returns seconds from any beginning.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._is_down = False
        self._try_after = 0.0

    def send(self, task: str, arguments: list[Any], lane: str | None = None) -> bool:
        """Send a task, to another lane than its own if one is named.

        Return whether the broker took it; nothing is raised for the broker's sake.
        """
        if not self._may_try():
            return False
        try:
            self._deliver(task, arguments, lane)
        except Exception as error:  # noqa: BLE001  # whatever a broker's client raises, the caller has its work to do
            self._note_failure()
            _log.warning("broker_unreachable", task=task, error=f"{type(error).__name__}: {error}")
            return False
        self._is_down = False
        return True

    def _may_try(self) -> bool:
        if not self._is_down:
            return True
        with self._lock:
            if self._clock() < self._try_after:
                return False
            self._try_after = self._clock() + _REST
            return True

    def _note_failure(self) -> None:
        with self._lock:
            self._is_down = True
            self._try_after = self._clock() + _REST

    def _deliver(self, task: str, arguments: list[Any], lane: str | None) -> None:
        began = self._clock()
        try:
            _send_once(task, arguments, lane)
        except Exception:
            # A kept connection whose broker was started anew fails at once, and the next one works.
            if self._clock() - began > _AT_ONCE:
                raise
            _send_once(task, arguments, lane)


def _send_once(task: str, arguments: list[Any], lane: str | None) -> None:
    # No retries here: the sender is answering a request, and the sweep is the retry.
    current_app.send_task(
        task,
        args=arguments,
        retry=False,
        ignore_result=True,
        confirm_timeout=_CONFIRM_SECONDS,
        **({"queue": lane} if lane else {}),
    )


sender = Sender()
