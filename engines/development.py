"""Engines that a developer starts: they run in the background until told to stop, and find their data again."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from engines import downloads, places, processes
from engines.catalogue import ENGINES, INVENTED_AWS
from engines.engine import Engine, Site
from engines.errors import EngineMissingError
from engines.ports import ReservedPorts
from engines.server import base_environment, wait_until_it_answers

STOP_SECONDS = 30
# Children of this process, so that it can take note of their end; one that exits before them leaves them running.
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Running:
    """A server that runs: ``process`` is its identity, and leads a process group."""

    process: str
    ports: tuple[int, ...]


def home_of(engine: Engine) -> Path:
    """Return the folder of an engine: one for each major version, as another one may not read its data."""
    major = engine.version().split(".")[0]
    return places.folder("data", engine.account) / f"{engine.name}-{major}"


def running(engine: Engine) -> Running | None:
    """Return the server of this project that runs, if one does."""
    if engine.why_missing() is not None:
        return None
    said = _read(home_of(engine))
    return said if said is not None and processes.is_running(said.process) else None


def _read(home: Path) -> Running | None:
    try:
        said = json.loads((home / "server.json").read_text())
        return Running(said["process"], tuple(said["ports"]))
    except (OSError, ValueError, KeyError):
        return None


def site_of(engine: Engine, server: Running) -> Site:
    """Return where this server lives."""
    return Site(home_of(engine), server.ports, lasting=True)


def fetch(engine: Engine) -> None:
    """Fetch what the engine needs and is not here yet.

    :raises EngineMissingError: the machine lacks it, or it cannot be fetched.
    """
    if (why := engine.why_missing()) is not None:
        problem, _, remedy = why.partition("; ")
        raise EngineMissingError(engine.product, f"{problem}.", f"{remedy}.")
    engine.fetch()


def start(engine: Engine) -> bool:
    """Start an engine in the background and return once it answers; return False if it ran already.

    :raises EngineMissingError: the machine lacks it.
    :raises EngineFailedError: it did not come up; nothing of it runs.
    """
    fetch(engine)
    home = home_of(engine)
    home.mkdir(exist_ok=True)
    with downloads.locked(home.with_suffix(".lock")):
        if running(engine) is not None:
            return False
        _start_anew(engine, home)
        return True


def _start_anew(engine: Engine, home: Path) -> None:
    before = _read(home)
    preferred = tuple(range(engine.development_port, engine.development_port + engine.port_count))
    # The same address as last time, where nobody took it: shells may still have its variables.
    reserved = ReservedPorts.preferring(before.ports if before else preferred)
    site = Site(home, reserved.ports, lasting=True)
    try:
        engine.prepare(site)
        process = _launch(engine, site)
        (home / "server.json").write_text(json.dumps(asdict(Running(processes.identity(process.pid), site.ports))))
        try:
            wait_until_it_answers(engine, site, process)
        except BaseException:
            _end(process.pid, "KILL")
            raise
    finally:
        reserved.release()


def _launch(engine: Engine, site: Site) -> subprocess.Popen[bytes]:
    launch = engine.launch(site)
    with (site.home / "log").open("wb") as log:
        child = subprocess.Popen(
            launch.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={**base_environment(site), **launch.environment},
            user=engine.account,
            start_new_session=True,
        )
    _children[child.pid] = child
    return child


def stop(engine: Engine) -> bool:
    """Stop an engine and return once it has ended; return False if it did not run. Its data stays."""
    server = running(engine)
    if server is None:
        return False
    with downloads.locked(home_of(engine).with_suffix(".lock")):
        pid = int(server.process.split()[0])
        if processes.is_running(server.process):
            _end(pid, engine.launch(site_of(engine, server)).stop_signal)
    return True


def _end(pid: int, stop_signal: str) -> None:
    process = processes.identity(pid)
    with contextlib.suppress(ProcessLookupError):  # it went by itself
        os.kill(pid, signal.Signals[f"SIG{stop_signal}"])
    deadline = time.monotonic() + STOP_SECONDS
    while processes.is_running(process) and time.monotonic() < deadline:
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):  # what it started and left, and itself if it did not end
        os.killpg(pid, signal.SIGKILL)
    if (child := _children.pop(pid, None)) is not None:
        child.wait()


def variables(engines: Iterable[Engine] = tuple(ENGINES.values())) -> dict[str, str]:
    """Return the variables that make the service use those of the engines that run; empty if none does."""
    found: dict[str, str] = {}
    for engine in engines:
        if (server := running(engine)) is not None:
            found |= engine.variables(engine.url(site_of(engine, server)))
    return INVENTED_AWS | found if found else {}
