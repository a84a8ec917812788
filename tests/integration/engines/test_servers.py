import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from engines import processes
from engines.catalogue import ENGINES
from engines.engine import Engine
from engines.errors import EngineFailedError
from engines.server import Server, remove_leftovers
from tests.integration.engines.conftest import Writers
from tests.waiting import wait_until

QUICK = ["redis", "postgres"]
# Only a server that listens to every interface answers here too.
ANOTHER_ADDRESS = "127.0.0.2"


@pytest.mark.parametrize("engine", list(ENGINES), indirect=True)
def test_ends_with_all_it_started_when_its_owner_is_killed(engine: Engine, engines_dir: Path, writers: Writers) -> None:
    command = [sys.executable, "-m", "tests.integration.engines.killed", engine.name, str(engines_dir)]
    killed = subprocess.run(command, check=False, capture_output=True, text=True)
    assert "127.0.0.1" in killed.stdout, killed.stderr
    wait_until(lambda: not writers())
    remove_leftovers(engines_dir)
    assert list(engines_dir.iterdir()) == []


@pytest.mark.parametrize("engine", ["redis", "postgres", "aws"], indirect=True)
def test_leaves_nothing_after_it_stopped(engine: Engine, engines_dir: Path, writers: Writers) -> None:
    with Server(engine, engines_dir) as server:
        assert engine.answers(server.site)
        assert writers()
    assert not engine.answers(server.site)
    assert not writers()
    assert list(engines_dir.iterdir()) == []


@pytest.mark.parametrize("engine", ["redis", "dynamodb", "aws"], indirect=True)
def test_listens_on_loopback_only(engine: Engine, engines_dir: Path) -> None:
    with Server(engine, engines_dir) as server, pytest.raises(ConnectionRefusedError):
        socket.create_connection((ANOTHER_ADDRESS, server.site.port)).close()


@pytest.mark.parametrize("engine", QUICK, indirect=True)
def test_is_removed_by_the_next_run_when_its_keeper_was_killed_too(
    engine: Engine, engines_dir: Path, writers: Writers
) -> None:
    server = Server(engine, engines_dir)
    server.start()
    (server.site.home / "owner").write_text("1 0")  # a process that has ended
    assert server._keeper is not None
    for pid in writers():
        if processes.start_mark(pid) and b"kill -s" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)
    assert engine.answers(server.site)
    remove_leftovers(engines_dir)
    assert not writers()
    assert list(engines_dir.iterdir()) == []
    server.stop()


@pytest.mark.parametrize("engine", ["redis"], indirect=True)
def test_of_another_run_is_left_alone(engine: Engine, engines_dir: Path) -> None:
    with Server(engine, engines_dir) as first, Server(engine, engines_dir) as second:
        assert engine.answers(first.site)
        assert engine.answers(second.site)


@pytest.mark.parametrize("engine", ["redis"], indirect=True)
def test_that_cannot_start_is_told_with_its_log_and_leaves_nothing(engine: Engine, engines_dir: Path) -> None:
    server = Server(engine, engines_dir)
    server._reserved.release()
    with (
        socket.create_server(("127.0.0.1", server.site.port)),
        pytest.raises(EngineFailedError, match=r"(?s)Address already in use.*start again") as told,
    ):
        server.start()
    assert told.value.engine == engine.title
    assert list(engines_dir.iterdir()) == []
