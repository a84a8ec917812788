import os
import signal
import subprocess
import sys
from pathlib import Path

from config.embedded.child import ChildCommand
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[3]
NOTE_AND_WAIT = "import os, pathlib, time; pathlib.Path({note!r}).write_text(str(os.getpid())); time.sleep(60)"
START_AND_DIE = """
import os, pathlib, signal, sys
from config.embedded.child import ChildCommand
from tests.waiting import wait_until
ChildCommand(["shell", "--no-imports", "-c", sys.argv[1]], pathlib.Path.cwd()).start()
wait_until(lambda: os.path.exists(sys.argv[2]) and os.path.getsize(sys.argv[2]))
os.kill(os.getpid(), signal.SIGKILL)
"""


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_ends_when_it_is_stopped(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    child = ChildCommand(["shell", "--no-imports", "-c", NOTE_AND_WAIT.format(note=str(note))], ROOT)
    child.start()
    wait_until(lambda: note.exists() and note.read_text())
    child.stop()
    assert not _is_running(int(note.read_text()))


def test_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    command = [sys.executable, "-c", START_AND_DIE, NOTE_AND_WAIT.format(note=str(note)), str(note)]
    parent = subprocess.run(command, cwd=ROOT, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert parent.returncode == -signal.SIGKILL
    wait_until(lambda: not _is_running(int(note.read_text())))


def test_says_that_it_failed() -> None:
    child = ChildCommand(["shell", "--no-imports", "-c", "raise SystemExit(3)"], ROOT)
    child.start()
    wait_until(lambda: child.failure() == 3)
    child.stop()
