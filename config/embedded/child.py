"""A management command as a child process that never outlives its parent."""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from django.core.management import execute_from_command_line

_STOP_SECONDS = 5
_NICENESS = 5


class ChildCommand:
    """``manage.py COMMAND`` with this process's settings."""

    def __init__(self, arguments: Sequence[str], base_dir: Path) -> None:
        self._arguments = arguments
        self._base_dir = base_dir
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it. A Ctrl-C in the terminal is not for it: the parent ends it."""
        self._process = subprocess.Popen(  # noqa: S603  # a command of our own
            [sys.executable, "-m", "config.embedded.child", *self._arguments],
            stdin=subprocess.PIPE,
            cwd=self._base_dir,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
            start_new_session=True,
        )

    def failure(self) -> int:
        """Return the exit code it failed with, or 0 if it runs or ended well."""
        return (self._process.poll() or 0) if self._process else 0

    def stop(self) -> None:
        """Let it end, by force if it must be."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()


def _end_with_parent() -> None:
    # The parent holds the other end of the pipe, which closes however the parent ends, kill -9 included.
    # Not through sys.stdin, whose lock this thread would still hold when the interpreter ends.
    while os.read(0, 1024):
        pass
    os._exit(0)


def main() -> None:
    """Run the command named by the arguments, behind the web server in the queue for the processor."""
    os.nice(_NICENESS)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    execute_from_command_line(["manage.py", *sys.argv[1:]])


if __name__ == "__main__":
    main()
