import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engines import processes
from engines.catalogue import ENGINES
from engines.engine import Engine

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
Writers = Callable[[], list[int]]


@pytest.fixture
def engines_dir() -> Iterator[Path]:
    # Not below pytest's own folder, which is closed to the account that PostgreSQL runs under.
    with tempfile.TemporaryDirectory(prefix="crm-engines-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def writers(engines_dir: Path) -> Writers:
    """Ask which processes write into a log of an engine there: those that belong to it."""
    logs: set[Path] = set()

    def ask() -> list[int]:
        logs.update(engines_dir.glob("*/log"))
        return [pid for log in logs for pid in processes.writers_of(log)]

    return ask


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> Engine:
    """Return the engine of this name, if the machine can run it."""
    found = ENGINES[str(request.param)]
    if (why := found.why_missing()) is not None and not IN_CI:
        pytest.skip(why)
    return found
