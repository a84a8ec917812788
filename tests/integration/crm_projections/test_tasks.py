"""Celery's shells of the read side."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from crm_events.ports.event_store import EventStoreUnavailableError
from crm_events.services.leases import OperationalLeases
from crm_projections import tasks
from crm_projections.entry import projector
from tests.builders import a_stream
from tests.integration.crm_projections.rows import Rows, at, the_mapping

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_own_adapters")]


@pytest.fixture
def rows() -> Rows:
    return Rows(now=datetime.now(UTC) - timedelta(minutes=1))


def test_project_takes_streams_as_text(rows: Rows) -> None:
    rows.record(at(1, "CREATE"), at(1, "CREATE", a_stream(2)))
    assert tasks.project([str(a_stream()), str(a_stream(2))]) == 2
    assert len(rows.documents()) == 2


def test_the_sweep_finds_what_no_wake_up_did(rows: Rows) -> None:
    rows.record(at(1, "CREATE"))
    assert tasks.sweep_pending() == 1
    assert not rows.head().is_pending


def test_the_sweep_leaves_young_streams_to_their_wake_up(rows: Rows) -> None:
    rows.now = datetime.now(UTC)
    rows.record(at(1, "CREATE"))
    assert tasks.sweep_pending() == 0


def test_the_sweep_takes_a_bounded_number(rows: Rows, settings: Settings) -> None:
    settings.CRM_PROJECT_BATCH = 2
    rows.record(*[at(1, "CREATE", a_stream(n)) for n in range(3)])
    assert [tasks.sweep_pending() for _ in range(3)] == [2, 1, 0]


def test_one_sweep_at_a_time(rows: Rows) -> None:
    rows.record(at(1, "CREATE"))
    token = OperationalLeases().take("sweep_pending", timedelta(minutes=1), datetime.now(UTC))
    assert tasks.sweep_pending() == 0
    assert token is not None
    OperationalLeases().give_back("sweep_pending", token, datetime.now(UTC))
    assert tasks.sweep_pending() == 1


def test_a_sweep_that_failed_does_not_keep_the_next_from_sweeping(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    rows.record(at(1, "CREATE"))
    with monkeypatch.context() as patch:
        patch.setattr(projector(), "sweep", _is_down)
        with pytest.raises(EventStoreUnavailableError):
            tasks.sweep_pending()
    assert tasks.sweep_pending() == 1


def test_the_sweep_of_runs_works_what_waits(rows: Rows) -> None:
    rows.create_clients(2)
    rows.read_model.create_generation(the_mapping().schema, the_mapping().fingerprint, rows.now)
    queued = rows.queue("replay", "Account")
    assert tasks.sweep_runs() == 1
    assert rows.runs.get(queued.id).counts["streams"] == 2


def _is_down(*_: object) -> None:
    raise EventStoreUnavailableError
