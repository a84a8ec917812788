"""The command service: what stands behind the API and Celery's shells."""

import pytest

from crm_events.models import Delivery, OperatorAction, Run
from crm_events.ports.commands import AcceptEvents, ProcessEvents, StartReplay
from crm_events.ports.event_store import HistoryQuery
from crm_events.services import commands, inbox
from crm_events.services.commands import SalesforceCommandService
from crm_events.services.dead_letters import OperationalDeadLetters
from crm_events.services.runs import OperationalRuns
from tests.builders import a_body, a_change, a_stream
from tests.engines.defaults import DefaultEventStore
from tests.integration.crm_events.delivering import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def service() -> SalesforceCommandService:
    return SalesforceCommandService(DefaultEventStore(), OperationalDeadLetters(), OperationalRuns())


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(inbox, "wake_ingest", lambda: found.append("ingest"))
    monkeypatch.setattr(commands, "wake_runs", lambda: found.append("runs"))
    return found


def test_accepted_events_can_be_processed_and_read(service: SalesforceCommandService) -> None:
    accepted = service.accept_events(AcceptEvents(a_body(a_change(), a_change(stream=a_stream(2))), "a sender"), NOW)
    assert accepted.received == 2
    processed = service.process_events(ProcessEvents(), NOW)
    assert (processed.deliveries, processed.streams) == (1, [a_stream(1), a_stream(2)])
    assert len(service.record_events(HistoryQuery(a_stream())).events) == 1


def test_nothing_to_process_is_no_work(service: SalesforceCommandService) -> None:
    processed = service.process_events(ProcessEvents(), NOW)
    assert (processed.deliveries, processed.streams) == (0, [])


def test_no_more_is_processed_than_asked_for(service: SalesforceCommandService) -> None:
    for _ in range(3):
        service.accept_events(AcceptEvents(a_body(a_change()), "a sender"), NOW)
    assert service.process_events(ProcessEvents(limit=2), NOW).deliveries == 2
    assert Delivery.objects.filter(status="accepted").count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_lane_is_woken_when_the_delivery_is_stored(service: SalesforceCommandService, woken: list[str]) -> None:
    service.accept_events(AcceptEvents(a_body(a_change()), "a sender"), NOW)
    assert woken == ["ingest"]


def test_a_replay_is_queued_written_down_and_woken(service: SalesforceCommandService, woken: list[str]) -> None:
    run_id = service.start_replay(StartReplay("Account", "ada", "a new field", broadcast=True), NOW)
    run = Run.objects.get(pk=run_id)
    assert (run.kind, run.target, run.status) == ("replay", "Account", "queued")
    assert run.parameters == {"broadcast": True, "dry_run": False}
    action = OperatorAction.objects.get()
    assert (action.who, action.verb, action.target, action.reason) == ("ada", "start replay", "Account", "a new field")
    assert (action.facts["run"], action.facts["broadcast"]) == (run_id, True)
    assert woken == ["runs"]
