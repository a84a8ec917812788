import os
import subprocess
import sys
from functools import partial
from pathlib import Path

from engines import processes
from tests.waiting import wait_until

WAITS = [sys.executable, "-c", "input()"]
REFUSES = "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"


def test_is_running_while_it_lives_and_not_afterwards() -> None:
    with subprocess.Popen(WAITS, stdin=subprocess.PIPE) as process:
        identity = processes.identity(process.pid)
        assert processes.is_running(identity)
    assert not processes.is_running(identity)


def test_is_not_taken_for_another_one_with_its_number() -> None:
    assert not processes.is_running(f"{os.getpid()} 1")


def test_is_nobody_where_the_file_was_empty() -> None:
    assert not processes.is_running("")


def test_is_killed_when_it_does_not_end_by_itself(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as output, subprocess.Popen([sys.executable, "-c", REFUSES], stdout=output) as process:
        wait_until(lambda: log.stat().st_size > 0)
        assert processes.writers_of(log) == [process.pid]
        processes.end(partial(processes.writers_of, log), grace_seconds=0.1)
        assert process.wait(10) == -9
