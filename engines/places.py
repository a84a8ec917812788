"""Folders of engines, all in the project's ``.engines``: ``downloads``, ``data`` (development), ``runs`` (tests)."""

import os
import subprocess
import tempfile
from pathlib import Path

from engines.errors import EngineFailedError

PROJECT = Path(__file__).resolve().parents[1]
ENGINES_DIR = PROJECT / ".engines"


def folder(kind: str, user: str | None = None) -> Path:
    """Return the folder of a kind, made; among the temporary files if the account ``user`` could not enter it.

    Root's own folders are closed to the account that a server runs under.
    """
    place = ENGINES_DIR / kind
    place.mkdir(parents=True, exist_ok=True)
    if user is None or _may_enter(place, user):
        return place
    return _temporary_folder(kind)


def _may_enter(place: Path, user: str) -> bool:
    return subprocess.run(["test", "-x", place], check=False, user=user, cwd="/").returncode == 0


def _temporary_folder(kind: str) -> Path:
    place = Path(tempfile.gettempdir()) / f"crm-engines-{os.geteuid()}"
    place.mkdir(mode=0o755, exist_ok=True)
    if place.is_symlink() or place.stat().st_uid != os.geteuid():
        raise EngineFailedError("Engines", f"{place} belongs to somebody else.", "remove it.")
    (place / kind).mkdir(mode=0o755, exist_ok=True)
    return place / kind
