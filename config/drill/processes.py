"""The processes of a drill: the service, which is killed and started again, and the simulated org, which is not."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

import requests

from crm_events.domain.errors import CrmError

_START_SECONDS = 90
_LOOK_SECONDS = 0.1


class DrillError(CrmError):
    """The drill could not be done; its text says why."""


def wait_for(what: str, condition: Callable[[], bool], seconds: float) -> None:
    """Return when the condition holds.

    :raises DrillError: it did not come to hold in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise DrillError(f"Waited {seconds:.0f} s for {what}, and it did not come.")
        time.sleep(_LOOK_SECONDS)


class Child:
    """``manage.py COMMAND`` as a process of its own, whose output goes to a file; it ends with the ``with`` block."""

    def __init__(self, arguments: Sequence[str], log: Path, ready_url: str, variables: Mapping[str, str]) -> None:
        self._arguments = arguments
        self._log = log
        self._ready_url = ready_url
        self._environment = {**os.environ, **variables}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and return once it answers.

        :raises DrillError: it ended, or did not answer in time.
        """
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # a command of our own
                [sys.executable, "manage.py", *self._arguments],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_for(f"“{self._arguments[0]}” to answer (see {self._log})", self._answers, _START_SECONDS)

    def kill(self) -> None:
        """End it as kill -9 and the power do."""
        self._end(signal.SIGKILL)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _answers(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise DrillError(f"“{self._arguments[0]}” ended with {self._process.returncode}; see {self._log}.")
        try:
            return requests.get(self._ready_url, timeout=5).ok
        except requests.RequestException:
            return False
