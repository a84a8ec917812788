"""The service as separate processes, as production runs it: gunicorn, a worker for each lane, beat."""

import contextlib
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Self

import requests

from tests.e2e.serving import ROOT, START_SECONDS, RunningService
from tests.waiting import wait_until

BIN = Path(sys.executable).parent
STOP_SECONDS = 40


def _worker(lane: str) -> list[str]:
    return [str(BIN / "celery"), "-A", "config", "worker", "-Q", lane, "-c", "1", "-n", f"{lane}@%h"]


COMMANDS = {
    "web": [str(BIN / "gunicorn"), "-c", "config/gunicorn.py"],
    **{lane: _worker(lane) for lane in ("ingest", "project", "bulk")},
    "beat": [str(BIN / "celery"), "-A", "config", "beat"],
    "second beat": [str(BIN / "celery"), "-A", "config", "beat"],
}


class ProductionService(RunningService):
    """Parts that can be started, stopped and killed one by one."""

    def __init__(self, data_dir: Path, **variables: str) -> None:
        super().__init__(data_dir, demo=False, port=None, **variables)
        self.parts: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> Self:
        """Make tables, static files and keys; start no part yet."""
        self._run([sys.executable, "manage.py", "setup_embedded"])
        return self

    def start_parts(self, *names: str) -> Self:
        """Start parts and return once they work."""
        for name in names:
            self.launch_part(name)
        for name in names:
            wait_until(partial(self._works, name), timeout=START_SECONDS, interval=0.1)
        return self

    def launch_part(self, name: str) -> None:
        """Start a part without waiting."""
        with self._output.open("ab") as log:
            self.parts[name] = subprocess.Popen(
                COMMANDS[name],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill_part(self, name: str) -> None:
        """End a part and all its children at once, as when its machine dies."""
        part = self.parts.pop(name)
        os.killpg(part.pid, signal.SIGKILL)
        part.wait()

    def stop_part(self, name: str) -> int:
        """Ask a part to end in good order, and return its exit code."""
        part = self.parts.pop(name)
        part.send_signal(signal.SIGTERM)
        return part.wait(STOP_SECONDS)

    def __exit__(self, *_: object) -> None:
        for name in list(self.parts):
            with contextlib.suppress(ProcessLookupError):
                self.kill_part(name)

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(command, cwd=ROOT, env=self._environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def _works(self, name: str) -> bool:
        assert self.parts[name].poll() is None, self.output()
        if name == "web":
            with contextlib.suppress(requests.ConnectionError):
                return requests.get(f"{self.url}/health/live", timeout=10).ok
            return False
        alive = [sys.executable, "config/alive.py", name.rpartition(" ")[2]]
        return subprocess.run(alive, cwd=ROOT, env=self._environment, capture_output=True, check=False).returncode == 0
