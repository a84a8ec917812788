"""The processes of production on one machine, started together and kept running: web, a worker for each lane, beat."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_BIN = Path(sys.executable).parent
# Few: they share one machine with the engines.
CONCURRENCY_BY_LANE = {"ingest": 2, "project": 2, "bulk": 1}
_LOOK_SECONDS = 0.5
# A process that ends again and again within this time would only burn the machine.
_SHORT_LIFE_SECONDS = 5.0
_MOST_SHORT_LIVES = 3
_STOP_SECONDS = 40
_PR_SET_PDEATHSIG = 1


@dataclass(slots=True)
class Part:
    """A process: its name, its command, and how often in a row it ended soon after its start."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    short_lives: int = 0


def parts_of_production() -> list[Part]:
    """Return web, workers and beat, as a container or a unit of systemd would run each."""
    web = Part("web", [str(_BIN / "gunicorn"), "-c", "config/gunicorn.py"])
    workers = [Part(f"worker {lane}", _worker(lane, count)) for lane, count in CONCURRENCY_BY_LANE.items()]
    return [web, *workers, Part("beat", [str(_BIN / "celery"), "-A", "config", "beat"])]


def _worker(lane: str, count: int) -> list[str]:
    celery = [str(_BIN / "celery"), "-A", "config", "worker"]
    return [*celery, "-Q", lane, "-c", str(count), "-n", f"{lane}@%h", "--without-gossip", "--without-mingle"]


class Supervisor:
    """Start parts, start again what ends by itself, and end all together."""

    def __init__(
        self, parts: Sequence[Part], cwd: Path, variables: Mapping[str, str], say: Callable[[str], None]
    ) -> None:
        self._parts = parts
        self._cwd = cwd
        self._environment = {**os.environ, **variables}
        self._say = say
        self._is_stopping = False

    def start(self) -> None:
        """Start every part."""
        for part in self._parts:
            self._start(part)

    def stop(self) -> None:
        """Ask for the end; ``run`` returns when all have ended."""
        self._is_stopping = True

    def run(self) -> int:
        """Keep the parts running until ``stop``; return 0, or 1 if a part could not be kept running."""
        code = 0
        while not self._is_stopping:
            time.sleep(_LOOK_SECONDS)
            if not all(self._keep(part) for part in self._parts):
                code = 1
                break
        self._end_all()
        return code

    def _start(self, part: Part) -> None:
        part.started_at = time.monotonic()
        part.process = subprocess.Popen(  # noqa: S603  # commands of our own
            part.command,
            cwd=self._cwd,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the supervisor, which ends the parts in good order
            preexec_fn=_die_with_parent,  # noqa: PLW1509  # this process has no threads
        )

    def _keep(self, part: Part) -> bool:
        """Start a part again if it ended; return whether it runs."""
        code = part.process.poll() if part.process else 0
        if code is None or self._is_stopping:
            return True
        lived = time.monotonic() - part.started_at
        part.short_lives = part.short_lives + 1 if lived < _SHORT_LIFE_SECONDS else 0
        if part.short_lives >= _MOST_SHORT_LIVES:
            self._say(f"{part.name} ended {part.short_lives} times at once (exit {code}). Next: read its lines above.")
            return False
        self._say(f"{part.name} ended (exit {code}) and is started again.")
        self._start(part)
        return True

    def _end_all(self) -> None:
        running = [part.process for part in self._parts if part.process and part.process.poll() is None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _die_with_parent() -> None:
    # Linux tells the child when its parent dies, kill -9 included; elsewhere the parts outlive a killed supervisor.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
