"""A PostgreSQL server of the test run's own: found on the machine, started when asked, gone with the process."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

import psycopg

ENGINES_DIR = Path(__file__).resolve().parents[2] / ".engines"
START_TIMEOUT_SECONDS = 60
# Data of tests may go with the power; waiting for the disk would only cost time.
FAST_AND_FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")
# The shell stops the server when its standard input closes: that happens however this process ends, kill -9 included.
KEEPER = '"$@" </dev/null & server=$!; read -r _; kill -INT $server; wait $server; rm -rf "$DATA"'


class PostgresNotStartedError(Exception):
    """The server was found but did not come up; the message carries the end of its log."""


def find_postgres() -> Path | None:
    """Return the folder of the newest PostgreSQL that has both ``initdb`` and ``postgres``."""
    folders = [Path(found).resolve().parent for name in ("initdb", "postgres") if (found := shutil.which(name))]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_major, reverse=True)
    return next((bin_ for bin_ in folders if (bin_ / "initdb").exists() and (bin_ / "postgres").exists()), None)


def _major(folder: Path) -> int:
    return int(match.group()) if (match := re.match(r"\d+", folder.parent.name)) else 0


def postgres_version(bin_dir: Path) -> str:
    """Return the version as the server says it, for example ``15.14``."""
    said = subprocess.run([bin_dir / "postgres", "--version"], check=True, capture_output=True, text=True).stdout
    return said.split()[2]


def default_engines_dir() -> Path:
    """Return the project's folder for engines, or one among the temporary files if the server could not enter it.

    Root's own folders are closed to the account that the server runs under.
    """
    user = _unprivileged_user()
    if user is None:
        return ENGINES_DIR
    ENGINES_DIR.mkdir(exist_ok=True)
    reachable = subprocess.run(["test", "-x", ENGINES_DIR], check=False, user=user, cwd="/").returncode == 0
    return ENGINES_DIR if reachable else _temporary_engines_dir()


def _temporary_engines_dir() -> Path:
    folder = Path(tempfile.gettempdir()) / f"crm-engines-{os.geteuid()}"
    folder.mkdir(mode=0o755, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise PostgresNotStartedError(f"{folder} belongs to somebody else; remove it.")
    return folder


class PostgresServer:
    """One server on a loopback port that is held from the beginning, so its address is known before it runs."""

    def __init__(self, bin_dir: Path, engines_dir: Path | None = None) -> None:
        self.bin_dir = bin_dir
        self.engines_dir = engines_dir or default_engines_dir()
        self.home = self.engines_dir / f"postgres-{os.getpid()}"
        self._keeper: subprocess.Popen[bytes] | None = None
        # Bound but not listening: nobody else is given this port, and the server may still take it.
        self._reservation = socket.socket()
        self._reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reservation.bind(("127.0.0.1", 0))
        self.port: int = self._reservation.getsockname()[1]

    @property
    def url(self) -> str:
        """The address for ``TEST_POSTGRES_URL``."""
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Make a fresh cluster and return once it answers; do nothing if it runs.

        :raises PostgresNotStartedError: it did not come up in time.
        """
        if self._keeper is not None:
            return
        remove_leftovers(self.engines_dir)
        self._make_cluster()
        settings = [
            f"port={self.port}",
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=200",
        ]
        options = [word for setting in (*settings, *FAST_AND_FORGETFUL) for word in ("-c", setting)]
        with (self.home / "log").open("wb") as log:
            self._keeper = subprocess.Popen(
                ["/bin/sh", "-c", KEEPER, "keeper", self.bin_dir / "postgres", "-D", self.home / "data", *options],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                env={"PATH": os.defpath, "DATA": str(self.home / "data")},
                user=_unprivileged_user(),
                # Ctrl-C in the terminal is for the tests; the server goes when they are done with it.
                start_new_session=True,
            )
        self._wait_until_it_answers()

    def stop(self) -> None:
        """Stop the server and remove its data; do nothing if it does not run."""
        if self._keeper is not None:
            self._keeper.communicate()
            self._keeper = None
            shutil.rmtree(self.home, ignore_errors=True)
        self._reservation.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _make_cluster(self) -> None:
        self.home.mkdir(parents=True)
        (self.home / "owner.pid").write_text(str(os.getpid()))
        if user := _unprivileged_user():
            shutil.chown(self.home, user)
        initdb = [self.bin_dir / "initdb", "-D", self.home / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        made = subprocess.run(
            [*map(str, initdb), "--no-sync", *self._locale_options()],
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
            user=_unprivileged_user(),
        )
        if made.returncode:
            raise PostgresNotStartedError(f"initdb failed in {self.home}: {made.stderr.strip()}")

    def _locale_options(self) -> list[str]:
        # A dictionary's order, not code points: it shows queries that forgot to say which order they promise.
        if int(postgres_version(self.bin_dir).split(".")[0]) >= 15:
            return ["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"]
        return ["--locale=C.UTF-8"]

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while time.monotonic() < deadline and self._keeper is not None and self._keeper.poll() is None:
            try:
                psycopg.connect(self.url, connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        log = (self.home / "log").read_text(errors="replace")[-2000:]
        self.stop()
        raise PostgresNotStartedError(f"PostgreSQL did not answer on port {self.port}. End of its log:\n{log}")


def _unprivileged_user() -> str | None:
    # PostgreSQL refuses to run as root; Debian's package brings an account for it.
    return "postgres" if os.geteuid() == 0 else None


def remove_leftovers(engines_dir: Path = ENGINES_DIR) -> None:
    """Stop and remove servers whose test run is gone."""
    for home in engines_dir.glob("postgres-*"):
        owner = _read_pid(home / "owner.pid")
        if owner is not None and _is_alive(owner):
            continue
        server = _read_pid(home / "data" / "postmaster.pid")
        if server is not None and _runs_postgres(server):
            with contextlib.suppress(ProcessLookupError):  # it may be going already
                os.kill(server, signal.SIGQUIT)
        shutil.rmtree(home, ignore_errors=True)


def _read_pid(path: Path) -> int | None:
    try:
        return int(path.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _runs_postgres(pid: int) -> bool:
    # The number may belong to another program by now.
    said = subprocess.run(["ps", "-o", "comm=", "-p", str(pid)], check=False, capture_output=True, text=True).stdout
    return "postgres" in said
