"""Start the parts of the service, watch them, and stop them in good order."""

import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog
from django.db import connections

from config import memory
from config.celery import app
from config.embedded.child import ChildCommand
from config.embedded.web import WebServer
from config.embedded.workers import THREADS_BY_LANE, Beat, Lane

# Work under way gets this long; what is not done by then is picked up at the next start, as after a crash.
GRACE_SECONDS = 8.0
_WATCH_SECONDS = 1.0
_log = structlog.get_logger(__name__)


class Part(Protocol):
    """A part of the service that runs in threads of its own."""

    name: str

    def start(self) -> None:
        """Begin to work."""

    def is_alive(self) -> bool:
        """Say whether it still works."""

    def stop(self) -> None:
        """Finish what is under way and end."""


class Service:
    """Web server, lanes, beat, and the simulated Salesforce if asked."""

    def __init__(self, listener: socket.socket, simulator: ChildCommand | None) -> None:
        self.stop_requested = threading.Event()
        self._web = WebServer(listener)
        self._parts: list[Part] = [*(Lane(app, lane) for lane in THREADS_BY_LANE), Beat(app), self._web]
        self._simulator = simulator

    def start(self) -> None:
        """Start every part."""
        for part in self._parts:
            part.start()
        memory.settle()
        if self._simulator:
            self._simulator.start()

    def wait(self) -> int:
        """Return the exit code once somebody asked to stop, or a part died: then the whole service goes with it."""
        while not self.stop_requested.wait(_WATCH_SECONDS):
            dead = [part.name for part in self._parts if not part.is_alive()]
            if dead and not self.stop_requested.is_set():
                _log.critical("part_died", parts=dead)
                return 1
            self._watch_simulator()
        return 0

    def stop(self) -> None:
        """Stop every part at the same time; if one does not end in time, end the process under it."""
        self._web.deadline = time.monotonic() + GRACE_SECONDS - 1
        stops = [part.stop for part in self._parts] + ([self._simulator.stop] if self._simulator else [])
        if not _run_all(stops, GRACE_SECONDS):
            _log.warning("stopped_under_way", next="what was under way is picked up at the next start")
            os._exit(0)
        connections.close_all()

    def _watch_simulator(self) -> None:
        if self._simulator and (code := self._simulator.failure()):
            _log.error("simulator_failed", exit_code=code)
            self._simulator = None


def _run_all(stops: Sequence[Callable[[], None]], seconds: float) -> bool:
    threads = [threading.Thread(target=stop, daemon=True) for stop in stops]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(timeout=max(deadline - time.monotonic(), 0))
    return not any(thread.is_alive() for thread in threads)
