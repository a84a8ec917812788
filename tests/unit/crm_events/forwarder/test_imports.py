import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crm_events import forwarder

FILES = sorted(Path(forwarder.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_forwarder_needs_nothing_but_the_standard_library(path: Path) -> None:
    foreign = {
        name
        for name in _imported(path)
        if not name.startswith("crm_events.forwarder") and name.partition(".")[0] not in sys.stdlib_module_names
    }
    assert foreign == set()


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
