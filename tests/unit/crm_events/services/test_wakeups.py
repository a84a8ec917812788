from typing import Any

import pytest
from celery import current_app

from crm_events.services.wakeups import wake_ingest, wake_projector, wake_runs
from tests.builders import a_stream


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[Any]]]:
    """Collect the tasks that would be sent, with their arguments."""
    found: list[tuple[str, list[Any]]] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **_: found.append((name, args)))
    return found


def test_name_streams_as_text(sent: list[tuple[str, list[Any]]]) -> None:
    wake_projector([a_stream(1), a_stream(2)])
    assert sent == [("crm_projections.tasks.project", [[str(a_stream(1)), str(a_stream(2))]])]


def test_spread_many_streams_over_tasks_of_bounded_size(sent: list[tuple[str, list[Any]]]) -> None:
    wake_projector([a_stream(n) for n in range(1_001)])
    assert [len(arguments[0]) for _, arguments in sent] == [500, 500, 1]


def test_of_no_stream_send_nothing(sent: list[tuple[str, list[Any]]]) -> None:
    wake_projector([])
    assert sent == []


def test_name_tasks_that_exist(sent: list[tuple[str, list[Any]]]) -> None:
    wake_ingest()
    wake_projector([a_stream()])
    wake_runs()
    current_app.loader.import_default_modules()
    assert {name for name, _ in sent} <= set(current_app.tasks)
