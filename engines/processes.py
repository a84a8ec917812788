"""Processes of this machine: which one is still the one that was meant, and who writes into a file."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


def start_mark(pid: int) -> str | None:
    """Return what tells this process from a later one with its number; None if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return _mark_by_ps(pid) if not Path("/proc/self/stat").exists() else None
    except ProcessLookupError:
        return None
    return None if fields[0] == "Z" else fields[19]


def _mark_by_ps(pid: int) -> str | None:
    said = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)],
        check=False,
        capture_output=True,
        text=True,
    )
    return said.stdout.strip() or None


def identity(pid: int) -> str:
    """Return a process's number and start mark as one text, to be asked about later by `is_running`."""
    return f"{pid} {start_mark(pid) or ''}"


def is_running(process: str) -> bool:
    """Whether the process of this `identity` runs; an unreadable text names none."""
    number, _, mark = process.strip().partition(" ")
    return bool(mark) and number.isdigit() and start_mark(int(number)) == mark


def writers_of(path: Path) -> list[int]:
    """Return the processes whose output goes to this file, also if it is removed; none where there is no /proc."""
    wanted = {str(path), f"{path} (deleted)"}
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended, or is somebody else's
            if {str((process / "fd" / number).readlink()) for number in ("1", "2")} & wanted:
                found.append(int(process.name))
    return found


def end(pids: Callable[[], list[int]], grace_seconds: float = 5.0) -> None:
    """Ask the processes to end, and kill those that have not when the grace is over."""
    _signal(pids(), signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    while left := pids():
        if time.monotonic() > deadline:
            _signal(left, signal.SIGKILL)
        time.sleep(0.02)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):  # it went by itself
            os.kill(pid, number)
