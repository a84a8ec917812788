"""Whether the folder of our own data can be written, and has room."""

import os
import tempfile
from pathlib import Path

from config.doctor.diagnosis import Diagnosis, amber, green, red

_GIB = 1024**3
_LOW_BYTES = _GIB
_FULL_BYTES = _GIB // 5
_LOW_SHARE = 0.05
_FULL_SHARE = 0.01


def examine_disk(folder: Path, *, keeps_data: bool) -> list[Diagnosis]:
    """Say whether the folder takes files and how much room is left, for a database's growth if it keeps one."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-"):
            pass
    except OSError as failure:
        text = f"{folder} takes no file: {failure.strerror or failure}"
        return [red("DATA_DIR", text, "give the service's account a folder it may write to.")]
    space = os.statvfs(folder)
    free, total = space.f_bavail * space.f_frsize, space.f_blocks * space.f_frsize
    return [judge_space(folder, free, total, keeps_data=keeps_data)]


def judge_space(folder: Path, free: int, total: int, *, keeps_data: bool) -> Diagnosis:
    """Judge the free bytes of the folder's file system; without a database in it, it may be as small as it likes."""
    text = f"{folder}: {free / _GIB:,.1f} GiB free of {total / _GIB:,.1f}"
    if free < max(total * _FULL_SHARE, _FULL_BYTES * keeps_data):
        return red("disk", text, "make room now: a full disk stops the service.")
    if free < max(total * _LOW_SHARE, _LOW_BYTES * keeps_data):
        return amber("disk", text, "make room, or give it a larger disk.")
    return green("disk", text)
