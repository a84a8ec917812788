from datetime import timedelta

import pytest

from crm_events.domain.events import EventSource, EventType, NewEvent
from crm_events.domain.heads import Watermark
from crm_events.domain.identifiers import StreamKey
from crm_events.ports.api_budget import Purpose
from crm_events.ports.crm_source import SourceRefusedError
from crm_events.ports.runs import RunStatus, RunView
from crm_events.services.repair import RepairWorker, start_if_needed
from tests.builders import TIMESTAMP, a_new_event, a_stream, an_id
from tests.integration.crm_events.delivering import NOW
from tests.integration.crm_events.reading import Desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return Desk()


def a_gap(
    change_type: str = "GAP_UPDATE", stream: StreamKey | None = None, timestamp: int = TIMESTAMP + 1000
) -> NewEvent:
    return a_new_event(change_type, stream=stream, timestamp=timestamp)


def project(desk: Desk, *streams: StreamKey) -> None:
    """Do to the heads what the projector does: note whether the record is dirty."""
    for stream, head in desk.store.heads(streams).items():
        dirty = desk.state(stream).is_dirty
        desk.store.move_watermarks([Watermark(stream, head.version, head.version, dirty=dirty)])


def happen(desk: Desk, *events: NewEvent) -> None:
    desk.happen(*events)
    project(desk, *{event.stream for event in events})


def repair(desk: Desk) -> RunView | None:
    """Start a repair if one is needed, work it, and let the projector see what it did."""
    run = start_if_needed(desk.store, desk.runs, desk.now)
    if run is None:
        return None
    desk.runner("repair", RepairWorker(desk.access, desk.store, desk.writer, desk.wake)).sweep()
    project(desk, *desk.woken)
    return desk.runs.get(run.id)


class TestRepair:
    def test_is_not_started_where_nothing_is_dirty(self, desk: Desk) -> None:
        happen(desk, a_new_event("CREATE"))
        assert repair(desk) is None

    def test_reads_a_record_again_after_a_gap(self, desk: Desk) -> None:
        desk.put(1, Industry="Shipping")
        happen(desk, a_new_event("CREATE", {"Name": "Client 1"}), a_gap())
        ended = repair(desk)
        assert ended is not None
        assert (ended.status, ended.counts["recorded"]) == (RunStatus.DONE, 1)
        assert desk.state().fields["Industry"] == "Shipping"
        assert repair(desk) is None

    def test_makes_a_record_whole_that_was_met_by_an_update(self, desk: Desk) -> None:
        desk.put(1)
        happen(desk, a_new_event("UPDATE", {"Industry": "Shipping"}))
        repair(desk)
        assert desk.state().complete

    def test_reads_a_record_again_whose_row_is_older_than_its_gap(self, desk: Desk) -> None:
        desk.put(1)
        happen(desk, a_gap(timestamp=int((NOW + timedelta(seconds=30)).timestamp() * 1000)))
        repair(desk)
        assert desk.state().is_dirty
        desk.source.now += timedelta(minutes=1)
        repair(desk)
        assert not desk.state().is_dirty

    def test_takes_many_records_in_one_call(self, desk: Desk) -> None:
        desk.put(300)
        happen(desk, *[a_gap(stream=a_stream(n)) for n in range(1, 301)])
        repair(desk)
        assert desk.source.calls.count("read_ids") == 1
        assert not any(desk.state(a_stream(n)).is_dirty for n in range(1, 301))

    def test_goes_first_when_calls_are_few(self, desk: Desk) -> None:
        desk.put(1)
        happen(desk, a_gap())
        repair(desk)
        assert set(desk.budget.asked) == {Purpose.REPAIR}

    def test_marks_its_events_as_its_own(self, desk: Desk) -> None:
        desk.put(1)
        happen(desk, a_gap())
        repair(desk)
        assert desk.events()[-1].event.source is EventSource.GAP_REPAIR

    def test_is_not_started_twice(self, desk: Desk) -> None:
        happen(desk, a_gap())
        assert start_if_needed(desk.store, desk.runs, NOW) is not None
        assert start_if_needed(desk.store, desk.runs, NOW) is None


class TestDeletion:
    def test_is_confirmed_by_the_recycle_bin(self, desk: Desk) -> None:
        desk.put(1)
        desk.source.delete("Account", an_id())
        happen(desk, a_new_event("CREATE"), a_gap("GAP_DELETE"))
        repair(desk)
        assert (desk.state().is_deleted, desk.state().is_dirty) == (True, False)
        assert desk.types()[-1] is EventType.SNAPSHOT

    def test_is_confirmed_by_a_record_that_is_nowhere(self, desk: Desk) -> None:
        desk.put(2)
        desk.source.erase("Account", an_id())
        happen(desk, a_new_event("CREATE"), a_gap("GAP_DELETE"))
        ended = repair(desk)
        assert ended is not None
        assert ended.counts["gone"] == 1
        assert (desk.state().is_deleted, desk.state().is_dirty) == (True, False)

    def test_is_not_believed_where_the_record_may_be_hidden_from_us(self, desk: Desk) -> None:
        desk.put(2)
        happen(desk, a_new_event("CREATE"), a_gap())
        desk.source.hide("Account", an_id())
        desk.source.may_see_all = False
        ended = repair(desk)
        assert ended is not None
        assert ended.counts["invisible"] == 1
        assert not desk.state().is_deleted
        assert "give the API user “View All” of Account" in " ".join(ended.log)


class TestTrouble:
    def test_with_one_object_leaves_the_others_to_be_repaired(self, desk: Desk) -> None:
        lead = a_stream(1, "Lead")
        desk.put(1)
        desk.put(1, "Lead")
        happen(desk, a_gap(), a_gap(stream=lead))
        desk.source.fail("describe", SourceRefusedError("INVALID_TYPE", "No such object."))
        ended = repair(desk)
        assert ended is not None
        assert (ended.status, ended.counts["refused"], ended.counts["recorded"]) == (RunStatus.DONE, 1, 1)
        assert "Next: let the API user see Account." in " ".join(ended.log)

    def test_that_lets_nothing_be_repaired_makes_it_rest_for_a_while(self, desk: Desk) -> None:
        desk.put(1)
        happen(desk, a_gap())
        desk.source.fail("read_ids", SourceRefusedError("INVALID_TYPE", "No."), times=5)
        repair(desk)
        assert repair(desk) is None
        desk.now += timedelta(minutes=5)
        assert repair(desk) is not None
