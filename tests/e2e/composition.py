"""compose.yaml, read as compose reads it, and its services run as processes in the image's files."""

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.image import ROOT, Image

_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<operator>:[-?])?(?P<word>[^}]*)\}")
_STOP_SECONDS = 60


def read_composition(variables: Mapping[str, str], path: Path = ROOT / "compose.yaml") -> dict[str, Any]:
    """Return the file with its variables put in.

    :raises KeyError: a variable that has no default is not given.
    """
    composition: dict[str, Any] = _put_in(yaml.safe_load(path.read_text()), variables)
    return composition


def variables_of(path: Path = ROOT / "compose.yaml") -> set[str]:
    """Return the names of the variables that the file asks for."""
    return {match["name"] for match in _VARIABLE.finditer(path.read_text())}


def _put_in(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _put_in(one, variables) for name, one in value.items()}
    if isinstance(value, list):
        return [_put_in(one, variables) for one in value]
    return _VARIABLE.sub(lambda match: _value(match, variables), value) if isinstance(value, str) else value


def _value(match: re.Match[str], variables: Mapping[str, str]) -> str:
    if match["operator"] == ":-":
        return variables.get(match["name"]) or match["word"]
    return variables[match["name"]]


@dataclass
class Containers:
    """The services that are built here, as processes: ``variables`` stand in for what compose's network gives."""

    image: Image
    composition: Mapping[str, Any]
    variables: Mapping[str, str]
    logs: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def environment(self, name: str) -> dict[str, str]:
        """Return a service's variables, which are all that its process has."""
        own = {key: str(value) for key, value in self.composition["services"][name]["environment"].items()}
        return {**self.image.environment, **own, **self.variables}

    def run(self, name: str, command: Sequence[str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a service's command, or another one in its place, to its end."""
        arguments = self._arguments(name, command)
        return subprocess.run(arguments, env=self.environment(name), check=False, capture_output=True, text=True)

    def start(self, name: str) -> None:
        """Start a service's command."""
        with self._log(name).open("wb") as log:
            self.processes[name] = subprocess.Popen(
                self._arguments(name, None),
                env=self.environment(name),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def is_healthy(self, name: str) -> bool:
        """Ask by the service's own health check, beside its process."""
        process = self.processes[name]
        assert process.poll() is None, self.output(name)
        test = self.composition["services"][name]["healthcheck"]["test"]
        assert test[0] == "CMD"
        beside = ["nsenter", "--mount", "--root", "--target", str(process.pid)]
        as_user = ["setpriv", "--clear-groups", *_reuid(self.image.user)]
        command = [*beside, "env", "-C", "/app", *as_user, *test[1:]]
        return subprocess.run(command, env=self.environment(name), check=False, capture_output=True).returncode == 0

    def stop(self, name: str) -> int:
        """Ask a process to end, as Docker does, and return its exit code."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGTERM)
        return process.wait(_STOP_SECONDS)

    def kill_all(self) -> None:
        """End whatever runs."""
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.processes.clear()

    def output(self, name: str) -> str:
        """Return the end of what a service has printed."""
        return self._log(name).read_text(errors="replace")[-4000:]

    def _log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def _arguments(self, name: str, command: Sequence[str] | None) -> list[str]:
        service = self.composition["services"][name]
        mode = "read-only" if service["read_only"] else "writable"
        shared = [f"{self._volume(volume)}:{path}" for volume, path in (one.split(":") for one in service["volumes"])]
        return self.image.command(command or service["command"], mode=mode, mounts=service["tmpfs"], shared=shared)

    def _volume(self, name: str) -> Path:
        folder = self.logs / name
        if not folder.exists():
            folder.mkdir()
            os.chown(folder, *map(int, self.image.user.split(":")))
        return folder


def _reuid(user: str) -> list[str]:
    uid, gid = user.split(":")
    return [f"--reuid={uid}", f"--regid={gid}"]
