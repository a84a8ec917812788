"""Wake-ups for the lanes: a message that may be lost, because a sweep finds whatever nobody finished."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import structlog
from celery import current_app

from crm_events.domain.identifiers import StreamKey

_STREAMS_PER_TASK = 500
# How long a broker that failed is left alone, and what of a failure still counts as "at once", in seconds.
_REST = 5.0
_AT_ONCE = 0.5
# Longest wait for the broker's word that it has a message, where it gives one.
_CONFIRM_SECONDS = 3
_log = structlog.get_logger(__name__)


class Sender:
    """Send tasks to a broker that may be down, without letting everybody wait for it.

    After a failure nothing is sent for a while; then a single sender tries, and the others go on without.
    ``clock`` returns seconds from any beginning.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._is_down = False
        self._try_after = 0.0

    def send(self, task: str, arguments: list[Any], lane: str | None = None) -> bool:
        """Send a task; return whether the broker took it. Never raises for the broker's sake."""
        if not self._may_try():
            return False
        try:
            self._deliver(task, arguments, lane)
        except Exception as error:  # noqa: BLE001  # whatever a broker's client raises, the work is kept and the caller goes on
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


_sender = Sender()


def wake_ingest() -> None:
    """Ask the ingest lane to look into the inbox."""
    _sender.send("crm_events.tasks.process_deliveries", [])


def wake_projector(streams: Sequence[StreamKey], lane: str | None = None) -> None:
    """Ask the projector to look at streams that have new events, in its own lane or another one."""
    for part in _parts(streams):
        _sender.send("crm_projections.tasks.project", [[str(stream) for stream in part]], lane)


def wake_projector_in_bulk(streams: Sequence[StreamKey]) -> None:
    """Ask the projector to look at streams that bulk work wrote, behind which no live change shall wait."""
    wake_projector(streams, "bulk")


def wake_runs() -> None:
    """Ask the bulk lane to look for queued runs of either side."""
    _sender.send("crm_projections.tasks.sweep_runs", [])
    _sender.send("crm_events.tasks.sweep_runs", [])


def _parts(streams: Sequence[StreamKey]) -> Iterator[Sequence[StreamKey]]:
    for start in range(0, len(streams), _STREAMS_PER_TASK):
        yield streams[start : start + _STREAMS_PER_TASK]


def _send_once(task: str, arguments: list[Any], lane: str | None) -> None:
    # No retries here: the sender is answering a request, and the sweep is the retry. Without a lane, the task's own.
    chosen = {"queue": lane} if lane else {}
    current_app.send_task(
        task, args=arguments, retry=False, ignore_result=True, confirm_timeout=_CONFIRM_SECONDS, **chosen
    )
