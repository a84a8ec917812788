import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = [
    "crm_events/domain",
    "crm_events/ports",
    "crm_events/cdc",
    "crm_events/record",
    "crm_projections/domain",
    "crm_projections/ports",
    "crm_mappings",
]
CLOCK = {"now", "utcnow", "today", "time_ns", "monotonic", "perf_counter"}
APPS = ["config", "crm_api", "crm_events", "crm_projections", "crm_mappings", "engines"]


def _core_files() -> list[Path]:
    return [path for folder in CORE for path in sorted((ROOT / folder).rglob("*.py"))]


def _app_files() -> list[Path]:
    return [path for app in APPS for path in sorted((ROOT / app).rglob("*.py")) if "migrations" not in path.parts]


def _calls(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


@pytest.mark.parametrize("path", _core_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_core_reads_no_clock_and_opens_nothing(path: Path) -> None:
    called = set(_calls(ast.parse(path.read_text())))
    assert not {call for call in called if call.rpartition(".")[2] in CLOCK or call in {"open", "time.time"}}


def test_no_file_grows_past_400_lines() -> None:
    assert [str(path) for path in _app_files() if len(path.read_text().splitlines()) > 400] == []


def _functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            yield f"{path.relative_to(ROOT)}:{node.name}", (node.end_lineno or 0) - node.lineno + 1


def test_no_function_grows_past_50_lines() -> None:
    assert [name for path in _app_files() for name, lines in _functions(path) if lines > 50] == []
