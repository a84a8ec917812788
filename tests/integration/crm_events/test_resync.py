from datetime import datetime, timedelta

import pytest

from crm_events.domain.events import EventType
from crm_events.models import Notice
from crm_events.ports.crm_source import SourceRefusedError
from crm_events.ports.runs import RunStatus, RunView
from crm_events.services import ids
from crm_events.services.resync import ResyncWorker, start_if_needed
from tests.builders import TIMESTAMP, a_new_event, a_stream, an_id
from tests.integration.crm_events.delivering import NOW
from tests.integration.crm_events.reading import Desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return Desk()


def notice(number: int = 1, entity: str = "Account", received_at: datetime = NOW) -> None:
    Notice.objects.create(
        id=f"{entity}-{number}",
        entity_name=entity,
        event_type="GAP_OVERFLOW",
        reason="overflow",
        record_id="000000000000000AAA",
        order_key="",
        raw="{}",
        delivery_id="d",
        delivery_index=number,
        received_at=received_at,
    )


def sweep(desk: Desk) -> None:
    desk.runner("resync", ResyncWorker(desk.access, desk.store, desk.writer, desk.wake)).sweep()


def resync(desk: Desk) -> RunView:
    (run,) = start_if_needed(desk.runs, desk.now)
    sweep(desk)
    return desk.runs.get(run.id)


class TestStart:
    def test_comes_once_however_many_notices_arrived(self, desk: Desk) -> None:
        for number in range(5):
            notice(number)
        assert [run.target for run in start_if_needed(desk.runs, NOW)] == ["Account"]
        assert start_if_needed(desk.runs, NOW) == []

    def test_comes_for_each_object(self, desk: Desk) -> None:
        notice(1, "Lead")
        notice(1, "Account")
        assert [run.target for run in start_if_needed(desk.runs, NOW)] == ["Account", "Lead"]

    def test_waits_a_while_after_one_that_failed(self, desk: Desk) -> None:
        notice()
        desk.source.fail("describe", SourceRefusedError("INVALID_TYPE", "No such object."))
        assert resync(desk).status is RunStatus.FAILED
        assert start_if_needed(desk.runs, NOW) == []
        assert len(start_if_needed(desk.runs, NOW + timedelta(minutes=15))) == 1

    def test_does_not_come_without_a_notice(self, desk: Desk) -> None:
        assert start_if_needed(desk.runs, NOW) == []


class TestResync:
    def test_brings_in_what_the_overflow_hid(self, desk: Desk) -> None:
        notice()
        desk.put(3, Industry="Shipping")
        desk.happen(a_new_event("CREATE", {"Name": "Client 1"}))
        ended = resync(desk)
        assert ended.status is RunStatus.DONE
        assert [desk.state(a_stream(n)).fields["Industry"] for n in (1, 2, 3)] == ["Shipping"] * 3

    def test_finds_records_that_are_gone_for_good(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ids, "STREAMS_PER_RANGE", 2)
        notice()
        desk.put(7)
        desk.happen(*[a_new_event("CREATE", {"Name": f"Client {n}"}, stream=a_stream(n)) for n in range(1, 8)])
        desk.source.erase("Account", an_id(2))
        desk.source.erase("Account", an_id(7))
        ended = resync(desk)
        assert ended.counts["gone"] == 2
        assert [n for n in range(1, 8) if desk.state(a_stream(n)).is_deleted] == [2, 7]

    def test_takes_over_what_is_in_the_recycle_bin(self, desk: Desk) -> None:
        notice()
        desk.put(2)
        desk.happen(a_new_event("CREATE", {"Name": "Client 1"}))
        desk.source.delete("Account", an_id())
        resync(desk)
        assert desk.state().is_deleted

    def test_leaves_tombstones_alone(self, desk: Desk) -> None:
        notice()
        desk.put(1)
        gone = a_stream(2)
        desk.happen(a_new_event("CREATE", stream=gone), a_new_event("DELETE", stream=gone, timestamp=TIMESTAMP + 1000))
        resync(desk)
        assert desk.types(gone) == [EventType.CREATE, EventType.DELETE]

    def test_answers_the_notices_it_was_started_for(self, desk: Desk) -> None:
        notice(1)
        notice(2)
        desk.put(1)
        resync(desk)
        assert not Notice.objects.filter(resolved_at=None).exists()
        assert start_if_needed(desk.runs, NOW) == []

    def test_leaves_a_notice_that_came_meanwhile_to_the_next_one(self, desk: Desk) -> None:
        notice(1)
        desk.put(1)
        desk.source.before_call = lambda method: method == "describe" and notice(2, received_at=NOW + timedelta(1))  # type: ignore[assignment, func-returns-value]
        resync(desk)
        assert Notice.objects.filter(resolved_at=None).count() == 1
        assert len(start_if_needed(desk.runs, NOW)) == 1

    def test_goes_on_with_the_ids_after_a_pause(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ids, "STREAMS_PER_RANGE", 1)
        notice()
        desk.put(3)
        (run,) = start_if_needed(desk.runs, NOW)
        reads = 0

        def pause_in_the_ids(method: str) -> None:
            nonlocal reads
            reads += method == "read"
            if reads == 3:
                desk.runs.request_pause(run.id)

        desk.source.before_call = pause_in_the_ids
        sweep(desk)
        assert desk.runs.get(run.id).status is RunStatus.PAUSED
        desk.runs.resume(run.id)
        sweep(desk)
        assert desk.runs.get(run.id).status is RunStatus.DONE
        assert desk.source.calls.count("count") == 1
