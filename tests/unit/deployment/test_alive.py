import os
import socket
import time
from pathlib import Path

import pytest

from config import alive
from config.liveness import Sign


@pytest.fixture
def sign(tmp_path: Path) -> Sign:
    return Sign(f"ingest@{socket.gethostname()}", tmp_path)


def test_takes_a_process_that_gave_its_sign_for_alive(sign: Sign, tmp_path: Path) -> None:
    sign.give()
    assert alive.check(tmp_path, "ingest", time.time()) == ""


def test_says_when_a_process_went_round_too_long_ago(sign: Sign, tmp_path: Path) -> None:
    sign.give()
    assert "last went round" in alive.check(tmp_path, "ingest", time.time() + alive.STALE_AFTER + 1)


def test_says_when_a_process_never_began_or_has_ended(sign: Sign, tmp_path: Path) -> None:
    assert "was not started here, or ended" in alive.check(tmp_path, "ingest", time.time())
    sign.give()
    sign.withdraw()
    assert "was not started here, or ended" in alive.check(tmp_path, "ingest", time.time())


def test_tells_an_orchestrator_by_its_exit_status(
    sign: Sign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    sign.give()
    assert alive.main(["ingest"]) == 0
    old = time.time() - 2 * alive.STALE_AFTER
    os.utime(tmp_path / "alive" / f"ingest@{socket.gethostname()}", (old, old))
    assert alive.main(["ingest"]) == 1
    assert "Next: read its log" in capsys.readouterr().err
