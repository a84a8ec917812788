from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest

from crm_events.domain.drift import Cause, Check, Difference, Remedy, run_kind
from crm_events.domain.events import EventType
from crm_events.domain.heads import Watermark
from crm_events.models import Bookmark, Delivery
from crm_events.ports.api_budget import Purpose
from crm_events.ports.crm_source import FieldDescription, ObjectDescription
from crm_events.ports.drift_report import DifferenceQuery
from crm_events.ports.runs import RunStatus, RunView
from crm_events.running.runner import RunWorker
from crm_events.services import ids
from crm_events.services.reconciliation.records import CheckTools
from crm_events.services.reconciliation.report import OperationalDriftReport
from crm_events.services.reconciliation.unfinished import IN_TIME, UnfinishedWorker
from crm_events.services.reconciliation.workers import IdsWorker, SampleWorker, WindowsWorker
from crm_events.services.source_calls import SourceAccess
from tests.builders import TIMESTAMP, a_new_event, a_stream, an_id
from tests.integration.crm_events.delivering import NOW
from tests.integration.crm_events.reading import Desk

pytestmark = pytest.mark.django_db
REPORT = OperationalDriftReport()
GRACE = timedelta(minutes=5)
CALM = timedelta(hours=1)
"""So long after a change, its event should have come."""


@pytest.fixture
def desk() -> Desk:
    """Return an org of three records that the log has too, an hour after they were made."""
    desk = Desk()
    desk.put(3)
    stamp = desk.source.row("Account", an_id())
    system = {name: stamp[name] for name in ("CreatedDate", "LastModifiedDate")}
    at = int(NOW.timestamp() * 1000)
    desk.happen(
        *[a_new_event("CREATE", {"Name": f"Client {n}", **system}, stream=a_stream(n), timestamp=at) for n in (1, 2, 3)]
    )
    later(desk, CALM)
    return desk


def later(desk: Desk, time: timedelta) -> None:
    desk.now += time
    desk.source.now += time


def tools(desk: Desk) -> CheckTools:
    return CheckTools(desk.store, desk.writer, REPORT, desk.wake, GRACE)


def worker(desk: Desk, check: Check) -> RunWorker:
    if check is Check.UNFINISHED:
        return UnfinishedWorker(desk.store, REPORT, lambda: None, desk.wake)
    made: dict[Check, Callable[[SourceAccess, CheckTools], RunWorker]] = {
        Check.WINDOWS: WindowsWorker,
        Check.IDS: IdsWorker,
        Check.SAMPLE: SampleWorker,
    }
    return made[check](desk.access, tools(desk))


def check(desk: Desk, check: Check, target: str = "Account", **parameters: Any) -> RunView:
    run = desk.start(run_kind(check), target, parameters)
    desk.runner(run_kind(check), worker(desk, check)).sweep()
    ended = desk.runs.get(run.id)
    assert ended.status is RunStatus.DONE, ended.error
    return ended


def found(run: RunView) -> list[Difference]:
    return [one.difference for one in REPORT.find(DifferenceQuery(run_ids=[run.id]))]


def causes(differences: Iterable[Difference]) -> set[Cause]:
    return {one.cause for one in differences}


EVERY_RECORD = pytest.mark.parametrize("kind", [Check.WINDOWS, Check.IDS, Check.SAMPLE])


class TestAgreement:
    @EVERY_RECORD
    def test_is_no_difference_and_writes_nothing(self, desk: Desk, kind: Check) -> None:
        assert found(check(desk, kind)) == []
        assert desk.types() == [EventType.CREATE]

    @EVERY_RECORD
    def test_is_read_within_the_share_of_reconciliation(self, desk: Desk, kind: Check) -> None:
        check(desk, kind)
        assert set(desk.budget.asked) == {Purpose.RECONCILIATION}


class TestMissedEvent:
    @pytest.mark.parametrize("kind", [Check.WINDOWS, Check.SAMPLE])
    def test_is_named_with_its_fields_and_mended(self, desk: Desk, kind: Check) -> None:
        desk.source.change("Account", an_id(2), Industry="Shipping")
        later(desk, CALM)
        (difference,) = found(check(desk, kind))
        assert (difference.cause, difference.subject) == (Cause.MISSED_EVENT, str(a_stream(2)))
        assert "Industry" in difference.fields
        assert difference.remedy is Remedy.READ_AGAIN
        assert desk.state(a_stream(2)).fields["Industry"] == "Shipping"
        assert desk.woken == [a_stream(2)]

    @pytest.mark.parametrize("kind", [Check.WINDOWS, Check.IDS])
    def test_of_a_creation_brings_the_record(self, desk: Desk, kind: Check) -> None:
        desk.put(4)
        desk.source.put("Account", {"Id": an_id(9), "Name": "New"})
        later(desk, CALM)
        differences = found(check(desk, kind))
        assert str(a_stream(9)) in {one.subject for one in differences if one.cause is Cause.MISSED_EVENT}
        assert desk.state(a_stream(9)).fields["Name"] == "New"

    @pytest.mark.parametrize("kind", [Check.WINDOWS, Check.IDS, Check.SAMPLE])
    def test_of_a_deletion_deletes_the_record(self, desk: Desk, kind: Check) -> None:
        desk.source.delete("Account", an_id(2))
        later(desk, CALM)
        (difference,) = found(check(desk, kind))
        assert (difference.cause, "IsDeleted" in difference.fields) == (Cause.MISSED_EVENT, True)
        assert desk.state(a_stream(2)).is_deleted

    def test_is_found_once(self, desk: Desk) -> None:
        desk.source.change("Account", an_id(2), Industry="Shipping")
        later(desk, CALM)
        check(desk, Check.SAMPLE)
        assert found(check(desk, Check.SAMPLE)) == []

    def test_is_only_reported_where_nothing_shall_be_mended(self, desk: Desk) -> None:
        desk.source.change("Account", an_id(2), Industry="Shipping")
        later(desk, CALM)
        (difference,) = found(check(desk, Check.SAMPLE, repair=False))
        assert (difference.cause, difference.remedy) == (Cause.MISSED_EVENT, Remedy.NONE)
        assert "Industry" not in desk.state(a_stream(2)).fields


class TestOtherCauses:
    def test_a_record_gone_for_good_is_a_hard_delete(self, desk: Desk) -> None:
        desk.source.erase("Account", an_id(2))
        (difference,) = found(check(desk, Check.IDS))
        assert (difference.cause, difference.remedy) == (Cause.HARD_DELETE, Remedy.DELETED)
        assert desk.state(a_stream(2)).is_deleted
        assert found(check(desk, Check.IDS)) == []

    def test_a_record_that_may_only_be_hidden_is_left_alone(self, desk: Desk) -> None:
        desk.source.hide("Account", an_id(2))
        desk.source.may_see_all = False
        (difference,) = found(check(desk, Check.IDS))
        assert (difference.cause, difference.remedy) == (Cause.NOT_VISIBLE, Remedy.LEFT)
        assert not desk.state(a_stream(2)).is_deleted

    @pytest.mark.parametrize("kind", [Check.SAMPLE, Check.IDS])
    def test_a_change_of_this_minute_may_still_be_on_its_way(self, desk: Desk, kind: Check) -> None:
        desk.source.change("Account", an_id(2), Industry="Shipping")
        desk.source.put("Account", {"Id": an_id(9), "Name": "New"})
        later(desk, timedelta(seconds=30))
        differences = found(check(desk, kind))
        assert causes(differences) == {Cause.IN_FLIGHT}
        assert {one.remedy for one in differences} == {Remedy.LEFT}

    def test_a_window_leaves_the_last_minutes_to_the_next_one(self, desk: Desk) -> None:
        check(desk, Check.WINDOWS)
        desk.source.change("Account", an_id(2), Industry="Shipping")
        later(desk, timedelta(minutes=2))
        assert found(check(desk, Check.WINDOWS)) == []
        later(desk, CALM)
        assert causes(found(check(desk, Check.WINDOWS))) == {Cause.MISSED_EVENT}

    def test_an_event_that_came_after_the_read_makes_it_late(self, desk: Desk) -> None:
        desk.source.change("Account", an_id(2), Industry="Shipping")
        later(desk, CALM)
        at = int(desk.now.timestamp() * 1000)
        desk.happen(a_new_event("UPDATE", {"Industry": "Fishing"}, stream=a_stream(2), timestamp=at))
        (difference,) = found(check(desk, Check.SAMPLE))
        assert (difference.cause, difference.remedy) == (Cause.LATE, Remedy.LEFT)

    def test_a_formula_changes_without_an_event(self, desk: Desk) -> None:
        described = desk.source.describe("Account")
        formula = FieldDescription("Score__c", "double", is_calculated=True)
        desk.source.set_description(ObjectDescription("Account", [*described.fields, formula]))
        desk.source.change("Account", an_id(2), quietly=True, Score__c=7)
        (difference,) = found(check(desk, Check.SAMPLE))
        assert (difference.cause, difference.fields) == (Cause.FORMULA, ("Score__c",))
        assert desk.state(a_stream(2)).fields["Score__c"] == 7

    def test_a_value_that_no_event_carries_is_no_missed_event(self, desk: Desk) -> None:
        desk.source.change("Account", an_id(2), quietly=True, LastActivityDate="2026-10-05")
        (difference,) = found(check(desk, Check.SAMPLE))
        assert (difference.cause, difference.fields) == (Cause.FORMULA, ("LastActivityDate",))
        assert desk.state(a_stream(2)).fields["LastActivityDate"] == "2026-10-05"

    def test_a_change_without_any_time_is_found_after_a_row_of_our_own(self, desk: Desk) -> None:
        desk.source.change("Account", an_id(2), Industry="Shipping")
        later(desk, CALM)
        check(desk, Check.SAMPLE)
        later(desk, CALM)
        desk.source.change("Account", an_id(2), quietly=True, Industry="Fishing")
        (difference,) = found(check(desk, Check.SAMPLE))
        assert (difference.cause, difference.remedy) == (Cause.MISSED_EVENT, Remedy.READ_AGAIN)
        assert desk.state(a_stream(2)).fields["Industry"] == "Fishing"

    def test_a_dirty_record_is_left_to_gap_repair(self, desk: Desk) -> None:
        desk.happen(a_new_event("GAP_UPDATE", stream=a_stream(2), timestamp=int(desk.now.timestamp() * 1000)))
        assert found(check(desk, Check.SAMPLE)) == []


def covered() -> datetime:
    return datetime.fromisoformat(str(Bookmark.objects.get(pk="windows Account").at))


class TestWindows:
    def test_go_on_from_what_salesforce_covered(self, desk: Desk) -> None:
        check(desk, Check.WINDOWS)
        first = covered()
        later(desk, CALM)
        check(desk, Check.WINDOWS)
        assert covered() > first

    def test_compare_in_batches(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("crm_events.services.reconciliation.workers.IDS_PER_CALL", 2)
        ended = check(desk, Check.WINDOWS)
        assert (ended.counts["checked"], desk.source.calls.count("read_ids")) == (3, 2)


class TestIds:
    def test_compare_range_by_range(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ids, "STREAMS_PER_RANGE", 2)
        desk.source.put("Account", {"Id": an_id(9), "Name": "New"})
        desk.source.erase("Account", an_id(1))
        later(desk, CALM)
        differences = found(check(desk, Check.IDS))
        assert {(one.subject, one.cause) for one in differences} == {
            (str(a_stream(1)), Cause.HARD_DELETE),
            (str(a_stream(9)), Cause.MISSED_EVENT),
        }

    def test_pass_over_records_known_as_deleted(self, desk: Desk) -> None:
        desk.happen(a_new_event("DELETE", stream=a_stream(2), timestamp=TIMESTAMP + 3_600_000_000))
        desk.source.erase("Account", an_id(2))
        assert found(check(desk, Check.IDS)) == []


class TestSample:
    def test_takes_other_records_each_time_until_all_had_their_turn(self, desk: Desk) -> None:
        for n in (1, 2, 3):
            desk.source.change("Account", an_id(n), Industry="Shipping")
        later(desk, CALM)
        subjects = [[one.subject for one in found(check(desk, Check.SAMPLE, size=1))] for _ in range(3)]
        assert subjects == [[str(a_stream(n))] for n in (1, 2, 3)]


class TestUnfinished:
    def test_names_deliveries_that_nobody_finished(self, desk: Desk) -> None:
        Delivery.objects.create(id="d1", received_at=desk.now - IN_TIME * 2, body="[]", item_count=1, last_error="Oops")
        Delivery.objects.create(id="d2", received_at=desk.now, body="[]", item_count=1)
        differences = found(check(desk, Check.UNFINISHED, ""))
        (difference,) = [one for one in differences if one.subject.startswith("delivery")]
        assert (difference.cause, difference.subject) == (Cause.STUCK, "delivery d1")
        assert "last failed with: Oops" in difference.detail

    def test_hands_records_over_that_wait_for_too_long(self, desk: Desk) -> None:
        desk.store.move_watermarks([Watermark(a_stream(n), 1, 1) for n in (1, 2)])
        (difference,) = found(check(desk, Check.UNFINISHED, ""))
        assert (difference.cause, difference.subject) == (Cause.STUCK, str(a_stream(3)))
        assert desk.woken == [a_stream(3)]

    def test_names_parked_records(self, desk: Desk) -> None:
        desk.store.move_watermarks([Watermark(a_stream(n), 1, 1) for n in (1, 2)])
        desk.store.set_blocked([a_stream(3)], blocked=True)
        (difference,) = found(check(desk, Check.UNFINISHED, ""))
        assert (difference.cause, difference.subject) == (Cause.PARKED, str(a_stream(3)))


def test_the_report_counts_by_check_and_cause(desk: Desk) -> None:
    desk.source.erase("Account", an_id(1))
    desk.source.erase("Account", an_id(2))
    run = check(desk, Check.IDS)
    assert REPORT.counts([run.id]) == {(Check.IDS, Cause.HARD_DELETE): 2}


def test_the_report_is_forgotten_after_its_time(desk: Desk) -> None:
    desk.source.erase("Account", an_id(1))
    run = check(desk, Check.IDS)
    assert REPORT.remove_before(desk.now) == 0
    assert REPORT.remove_before(desk.now + timedelta(seconds=1)) == 1
    assert found(run) == []
