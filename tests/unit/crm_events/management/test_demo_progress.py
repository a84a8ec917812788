from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crm_events.management.demo_progress import DemoProgress, ProgressFileError

NOW = datetime(2026, 10, 6, 7, 20, 9, tzinfo=UTC)


def some_progress() -> DemoProgress:
    progress = DemoProgress(seed=1, base=NOW, accounts=10, posted=200, loaded=True)
    progress.begin_session(NOW, 3.0).count = 2
    return progress


def test_reads_what_it_wrote(tmp_path: Path) -> None:
    some_progress().write(tmp_path / "progress")
    assert DemoProgress.read(tmp_path / "progress") == some_progress()


def test_leaves_nothing_else_behind_when_it_writes(tmp_path: Path) -> None:
    some_progress().write(tmp_path / "progress")
    assert [path.name for path in tmp_path.iterdir()] == ["progress"]


def test_reads_nothing_where_there_is_no_file(tmp_path: Path) -> None:
    assert DemoProgress.read(tmp_path / "progress") is None


@pytest.mark.parametrize(
    "text", ["", "[]", "3", "{}", '{"seed": 1, "base": "today", "accounts": 1, "sessions": []}', "\x00"]
)
def test_says_when_the_file_holds_something_else(tmp_path: Path, text: str) -> None:
    (tmp_path / "progress").write_text(text)
    with pytest.raises(ProgressFileError, match="Next: name another with --marker"):
        DemoProgress.read(tmp_path / "progress")


def test_knows_the_moments_of_all_live_changes() -> None:
    progress = some_progress()
    progress.begin_session(NOW + timedelta(hours=1), 60.0).count = 1
    assert list(progress.past_moments()) == [
        NOW + timedelta(seconds=3),
        NOW + timedelta(seconds=6),
        NOW + timedelta(hours=1, seconds=60),
    ]


def test_forgets_sessions_in_which_nothing_happened() -> None:
    progress = some_progress()
    progress.begin_session(NOW, 3.0)
    session = progress.begin_session(NOW, 4.0)
    assert [one.count for one in progress.sessions] == [2, 0]
    assert progress.sessions[-1] is session
