"""What was fetched once is kept: whole or not at all, and by one process at a time."""

import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from engines import places


def key(name: str, *inputs: Path) -> str:
    """Return the name of a download: another content of the files that describe it gives another name."""
    return f"{name}-{sha256(b''.join(path.read_bytes() for path in inputs)).hexdigest()[:12]}"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file; whoever else wants it waits. The lock goes with the process, however it ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def find(name: str, downloads: Path | None = None) -> Path | None:
    """Return the folder of a finished download."""
    place = (downloads or places.folder("downloads")) / name
    return place if place.is_dir() else None


def fetch(name: str, fill: Callable[[Path], None], downloads: Path | None = None) -> Path:
    """Return the folder of a download, and let ``fill`` make its content if it is not there yet.

    ``fill`` works in a folder of another name, which becomes the download when it is complete: what cannot be moved
    (scripts that know their own place) must not be relied on.
    """
    place = downloads or places.folder("downloads")
    with locked(place / f"{name}.lock"):
        if (found := find(name, place)) is not None:
            return found
        for broken in place.glob(f"{name}.part-*"):  # of a process that died: nobody else holds the lock
            shutil.rmtree(broken, ignore_errors=True)
        part = Path(tempfile.mkdtemp(prefix=f"{name}.part-", dir=place))
        try:
            fill(part)
            part.chmod(0o755)
            return part.rename(place / name)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
