"""The end of an engine's log, and what it says to do next."""

import re
from pathlib import Path

from engines.errors import EngineFailedError

_SIGNS = (
    (
        r"OutOfMemoryError|insufficient memory|Cannot allocate memory|Out of memory",
        "free some memory, then start again.",
    ),
    (
        r"Address already in use|BindException|eaddrinuse|is already in use",
        "another program took the port meanwhile: start again, and a free one is chosen.",
    ),
    (r"UnsupportedClassVersionError", "install Java 17 or newer, for example default-jdk-headless."),
    (r"No space left on device", "free some space on the disk, then start again."),
)


def next_step(text: str) -> str:
    """Return what to do about a start that ended with these lines."""
    found = (step for sign, step in _SIGNS if re.search(sign, text, re.IGNORECASE))
    return next(found, "see the lines of its log above.")


def failure(engine: str, how: str, log: Path) -> EngineFailedError:
    """Return the error of an engine that did not come up, with the end of its log."""
    text = log.read_text(errors="replace")[-2000:].strip() if log.exists() else ""
    return EngineFailedError(engine, f"it {how}. End of its log:\n{text}\n", next_step(text))
