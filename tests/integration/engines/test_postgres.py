import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.engines import postgres
from tests.engines.postgres import PostgresServer, find_postgres, postgres_version, remove_leftovers
from tests.waiting import wait_until

BIN_DIR = find_postgres()
pytestmark = pytest.mark.skipif(
    BIN_DIR is None, reason="no PostgreSQL on this machine (install the package postgresql)"
)
START_AND_DIE = """
import os, pathlib, signal, sys
from tests.engines.postgres import PostgresServer
server = PostgresServer(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
server.start()
print(server.url, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def engines_dir() -> Iterator[Path]:
    # Not below pytest's own folder, which is closed to the account that the server runs under.
    with tempfile.TemporaryDirectory(prefix="crm-engines-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _is_gone(url: str) -> Callable[[], bool]:
    return lambda: not _answers(url)


def _is_empty_after_cleaning(engines_dir: Path) -> Callable[[], bool]:
    def is_empty() -> bool:
        remove_leftovers(engines_dir)
        return not list(engines_dir.iterdir())

    return is_empty


def test_answers_as_the_version_it_says(engines_dir: Path) -> None:
    assert BIN_DIR is not None
    with PostgresServer(BIN_DIR, engines_dir) as server, psycopg.connect(server.url) as connection:
        row = connection.execute("SHOW server_version").fetchone()
    assert row is not None
    assert row[0].split()[0] == postgres_version(BIN_DIR)


def test_leaves_nothing_after_it_stopped(engines_dir: Path) -> None:
    assert BIN_DIR is not None
    with PostgresServer(BIN_DIR, engines_dir) as server:
        pass
    assert not _answers(server.url)
    assert list(engines_dir.iterdir()) == []


def test_goes_when_its_test_run_is_killed(engines_dir: Path) -> None:
    command = [sys.executable, "-c", START_AND_DIE, str(BIN_DIR), str(engines_dir)]
    killed = subprocess.run(command, check=False, capture_output=True, text=True)
    url = killed.stdout.strip()
    assert url.startswith("postgres://"), killed.stderr
    wait_until(_is_gone(url))
    wait_until(_is_empty_after_cleaning(engines_dir))


def test_leaves_the_server_of_another_run_alone(engines_dir: Path) -> None:
    assert BIN_DIR is not None
    with PostgresServer(BIN_DIR, engines_dir) as server:
        remove_leftovers(engines_dir)
        assert _answers(server.url)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's folders are closed to the server's account")
def test_keeps_its_data_elsewhere_when_the_project_lies_in_a_closed_folder(
    engines_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines_dir.chmod(0o700)
    monkeypatch.setattr(postgres, "ENGINES_DIR", engines_dir / "project")
    chosen = postgres.default_engines_dir()
    assert not chosen.is_relative_to(engines_dir)
    assert BIN_DIR is not None
    with PostgresServer(BIN_DIR, chosen) as server:
        assert _answers(server.url)
