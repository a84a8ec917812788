"""Say whether a worker or beat of this machine still goes round: ``python config/alive.py NAME``, for health checks.

NAME is what stands before the ``@`` of a worker's name (``celery`` where none was given), or ``beat``. It needs nothing
but the standard library, so that asking every few seconds costs next to nothing.
"""

import os
import socket
import sys
import time
from pathlib import Path

# Who goes round touches its file this often, in seconds; some may be missed on a busy machine.
EVERY = 5.0
STALE_AFTER = 60.0


def folder(data_dir: Path) -> Path:
    """Return where the files are."""
    return data_dir / "alive"


def check(data_dir: Path, name: str, now: float) -> str:
    """Return what is wrong, or an empty text. ``now`` is in seconds since 1970, as files have it."""
    file = folder(data_dir) / f"{name}@{socket.gethostname()}"
    try:
        age = now - file.stat().st_mtime
    except FileNotFoundError:
        return f"{file} is not there: {name} was not started here, or ended. Next: read its log."
    if age > STALE_AFTER:
        return f"{name} last went round {age:.0f} seconds ago. Next: read its log, then start it again."
    return ""


def main(arguments: list[str]) -> int:
    """Print what is wrong and return 1, or return 0."""
    base_dir = Path(__file__).resolve().parent.parent
    data_dir = Path(os.environ.get("DATA_DIR") or base_dir / "var")
    wrong = check(data_dir, (arguments or ["celery"])[0], time.time())
    sys.stderr.write(f"{wrong}\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
