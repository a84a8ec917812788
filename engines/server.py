"""A server that belongs to this process: started when asked, gone with it; leftovers of dead processes are removed."""

import itertools
import os
import shutil
import signal
import subprocess
import time
from functools import partial
from pathlib import Path
from typing import Self

from engines import logs, places, processes
from engines.engine import Engine, Site
from engines.ports import ReservedPorts

GRACE_SECONDS = 15
_KEEPER = (Path(__file__).parent / "keeper.sh").read_text()
_numbers = itertools.count(1)


class Server:
    """One server of an engine, on ports that are held from the beginning: its address is known before it runs."""

    def __init__(self, engine: Engine, runs_dir: Path | None = None) -> None:
        self.engine = engine
        self.runs_dir = runs_dir or places.folder("runs", engine.account)
        self._reserved = ReservedPorts(engine.port_count)
        home = self.runs_dir / f"{engine.name}-{os.getpid()}-{next(_numbers)}"
        self.site = Site(home, self._reserved.ports)
        self._keeper: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address for clients, also before the server runs."""
        return self.engine.url(self.site)

    def start(self) -> None:
        """Fetch what is missing, start with no data, and return once the server answers; do nothing if it runs.

        :raises EngineMissingError: it cannot be had on this machine.
        :raises EngineFailedError: it did not come up; nothing of it is left.
        """
        if self._keeper is not None:
            return
        remove_leftovers(self.runs_dir)
        self.engine.fetch()
        self._make_home()
        try:
            self.engine.prepare(self.site)
            self._keeper = _keep(self.engine, self.site)
            wait_until_it_answers(self.engine, self.site, self._keeper)
        except BaseException:
            self.stop()
            raise

    def _make_home(self) -> None:
        # Under its name only when it says whose it is: one without an owner is a leftover.
        new = self.site.home.with_name(f".{self.site.home.name}")
        new.mkdir(parents=True)
        (new / "owner").write_text(processes.identity(os.getpid()))
        new.rename(self.site.home)

    def stop(self) -> None:
        """Stop the server and remove its data; do nothing if it does not run."""
        if self._keeper is not None:
            try:
                self._keeper.communicate(timeout=GRACE_SECONDS + 5)
            except subprocess.TimeoutExpired:
                os.killpg(self._keeper.pid, signal.SIGKILL)
                self._keeper.communicate()
            self._keeper = None
        shutil.rmtree(self.site.home, ignore_errors=True)
        self._reserved.release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _keep(engine: Engine, site: Site) -> subprocess.Popen[bytes]:
    launch = engine.launch(site)
    keeping = {"STOP": launch.stop_signal, "GRACE": str(GRACE_SECONDS), "REMOVE": str(site.data)}
    with (site.home / "log").open("wb") as log:
        return subprocess.Popen(
            ["/bin/sh", "-c", _KEEPER, "keeper", *launch.command],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={**base_environment(site), **launch.environment, **keeping},
            user=engine.account,
            # Ctrl-C in the terminal is for the owner; the server goes when the owner is done with it.
            start_new_session=True,
        )


def base_environment(site: Site) -> dict[str, str]:
    """Return what every server's environment has; nothing of the developer's settings reaches an engine."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
    return {"PATH": path, "HOME": str(site.home), "TMPDIR": str(site.home), "LANG": "C.UTF-8"}


def wait_until_it_answers(engine: Engine, site: Site, process: subprocess.Popen[bytes]) -> None:
    """Return once the engine is ready.

    :raises EngineFailedError: it ended, or did not answer in time.
    """
    deadline = time.monotonic() + engine.start_timeout_seconds
    while process.poll() is None and time.monotonic() < deadline:
        if engine.answers(site):
            return
        time.sleep(0.05)
    ended = process.poll() is not None
    how = "ended at once" if ended else f"did not answer on port {site.port} within {engine.start_timeout_seconds} s"
    raise logs.failure(engine.title, how, site.home / "log")


def remove_leftovers(runs_dir: Path) -> None:
    """End and remove servers whose owner is gone, should their keepers be gone too."""
    for home in runs_dir.glob("*-*-*"):
        try:
            owner = (home / "owner").read_text()
        except OSError:
            owner = ""
        if not processes.is_running(owner):
            processes.end(partial(processes.writers_of, home / "log"))
            shutil.rmtree(home, ignore_errors=True)
