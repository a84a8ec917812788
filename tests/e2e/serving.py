"""The whole service as a process of its own, as ``make run`` starts it."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import requests

from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
STOP_SECONDS = 15


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class RunningService:
    """``manage.py serve`` on a free port; start it again after a stop or a kill, and it finds its data."""

    def __init__(self, data_dir: Path, *, demo: bool = False, port: int | None = None, **variables: str) -> None:
        self.data_dir = data_dir
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self._environment = {
            **kept,
            "DATA_DIR": str(data_dir),
            "PORT": str(self.port),
            "DEMO": "1" if demo else "0",
            **variables,
        }
        self._output = data_dir.with_name(f"{data_dir.name}.log")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start, and return once it answers."""
        starts = self._starts()
        self.launch()
        wait_until(lambda: self._starts() > starts or self._died(), timeout=START_SECONDS)
        if self._died() or not requests.get(f"{self.url}/health/live", timeout=10).ok:
            raise AssertionError(f"the service did not start:\n{self.output()}")
        return self

    def launch(self) -> None:
        """Start without waiting."""
        with self._output.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve"],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)

    def wait(self) -> int:
        """Return the exit code once it ended by itself."""
        assert self.process is not None
        return self.process.wait(START_SECONDS)

    def output(self) -> str:
        """Return everything it wrote since its data folder began."""
        return self._output.read_text()

    def key(self, name: str) -> str:
        """Return one of the API keys of the first run."""
        return (self.data_dir / "access" / f"{name}-key").read_text().strip()

    def request(self, method: str, path: str, key: str = "read", **options: Any) -> requests.Response:
        """Call the API with a key of the first run."""
        headers = {"Authorization": f"Bearer {self.key(key)}"}
        return requests.request(method, self.url + path, headers=headers, timeout=40, **options)

    def shown_commands(self) -> list[str]:
        """Return the curl lines of the last start."""
        return re.findall(r"^  (curl .*)$", self.output(), flags=re.MULTILINE)[-2:]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def _starts(self) -> int:
        return self.output().count("Ctrl-C stops the service") if self._output.exists() else 0

    def _died(self) -> bool:
        return self.process is not None and self.process.poll() is not None
