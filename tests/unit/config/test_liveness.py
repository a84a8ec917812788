import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from config.alive import STALE_AFTER, check
from config.liveness import Rounds, Sign

ROOT = Path(__file__).resolve().parents[3]
HERE = f"project@{socket.gethostname()}"
NOW = 1_800_000_000.0


@pytest.fixture
def sign(tmp_path: Path) -> Sign:
    return Sign(HERE, tmp_path)


def _age(tmp_path: Path, seconds: float) -> None:
    os.utime(tmp_path / "alive" / HERE, (NOW - seconds, NOW - seconds))


def test_who_gave_a_sign_lives(sign: Sign, tmp_path: Path) -> None:
    sign.give()
    _age(tmp_path, STALE_AFTER - 1)
    assert check(tmp_path, "project", NOW) == ""


def test_who_gave_none_for_long_does_not(sign: Sign, tmp_path: Path) -> None:
    sign.give()
    _age(tmp_path, STALE_AFTER + 1)
    assert "project last went round 61 seconds ago" in check(tmp_path, "project", NOW)


def test_who_withdrew_the_sign_has_ended(sign: Sign, tmp_path: Path) -> None:
    sign.give()
    sign.withdraw()
    assert "was not started here, or ended" in check(tmp_path, "project", NOW)


def test_a_sign_is_one_worker_s_own(sign: Sign, tmp_path: Path) -> None:
    sign.give()
    assert check(tmp_path, "ingest", NOW)


def test_answers_by_its_exit_code(sign: Sign, tmp_path: Path) -> None:
    sign.give()
    codes = [
        subprocess.run(
            [sys.executable, "config/alive.py", name],
            cwd=ROOT,
            env={"DATA_DIR": str(tmp_path)},
            check=False,
            capture_output=True,
        ).returncode
        for name in ("project", "ingest")
    ]
    assert codes == [0, 1]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_loop_that_no_longer_goes_round_is_not_well() -> None:
    clock = Clock()
    rounds = Rounds(clock)
    rounds.went_round()
    clock.now = STALE_AFTER - 1
    assert rounds.are_well
    clock.now = STALE_AFTER + 1
    assert not rounds.are_well


def test_a_loop_that_waits_for_the_broker_is_well() -> None:
    clock = Clock()
    rounds = Rounds(clock)
    rounds.went_round()
    rounds.waits_for_broker()
    clock.now = STALE_AFTER + 1
    assert rounds.are_well
