from datetime import timedelta
from typing import Any

import pytest

from crm_events.domain.drift import Cause, Check, Difference, Remedy, run_kind
from crm_events.domain.heads import Watermark
from crm_events.ports.drift_report import DifferenceQuery
from crm_events.ports.runs import RunRequest, RunStatus
from crm_events.running.runner import Runner, RunWorker
from crm_events.services.reconciliation.report import OperationalDriftReport
from crm_projections.services import walking
from crm_projections.services.checks import BroadcastsWorker, DocumentsWorker
from crm_projections.services.projector import Projector
from tests.builders import a_stream
from tests.engines.defaults import sent_messages
from tests.integration.crm_projections.rows import Rows, at

pytestmark = pytest.mark.django_db
REPORT = OperationalDriftReport()


@pytest.fixture
def rows() -> Rows:
    return Rows()


def check(rows: Rows, check: Check, target: str = "Account", **parameters: Any) -> list[Difference]:
    run = rows.runs.create(RunRequest(run_kind(check), target, parameters, "ada"), rows.now)
    documents = DocumentsWorker(rows.ports, REPORT)
    broadcasts = BroadcastsWorker(rows.ports, Projector(rows.ports, 1_000), REPORT)
    workers: dict[str, RunWorker] = {run_kind(Check.DOCUMENTS): documents, run_kind(Check.BROADCASTS): broadcasts}
    Runner(rows.runs, workers, lambda: rows.now).sweep()
    ended = rows.runs.get(run.id)
    assert ended.status is RunStatus.DONE, ended.error
    return [one.difference for one in REPORT.find(DifferenceQuery(run_ids=[run.id]))]


def name_of(rows: Rows, number: int) -> Any:
    entity_id = a_stream(number).entity_id
    return rows.read_model.get_many("client", [entity_id])[entity_id].decode()["name"]


class TestDocuments:
    def test_that_say_what_the_log_says_are_no_difference(self, rows: Rows) -> None:
        rows.create_clients(3)
        assert check(rows, Check.DOCUMENTS) == []

    def test_that_are_wrong_are_named_with_their_fields_and_mended(self, rows: Rows) -> None:
        rows.create_clients(3)
        rows.spoil(a_stream(2), "Wrong")
        (difference,) = check(rows, Check.DOCUMENTS)
        assert (difference.cause, difference.fields) == (Cause.STUCK, ("name",))
        assert (difference.subject, difference.remedy) == (str(a_stream(2)), Remedy.PROJECTED)
        assert name_of(rows, 2) == "Client 2"
        assert check(rows, Check.DOCUMENTS) == []

    def test_of_an_older_mapping_are_told_apart(self, rows: Rows) -> None:
        rows.create_clients(1)
        rows.spoil(a_stream(), "Mapped otherwise", mapping="older")
        (difference,) = check(rows, Check.DOCUMENTS)
        assert difference.cause is Cause.MAPPING

    def test_that_are_missing_are_made(self, rows: Rows) -> None:
        rows.create_clients(1)
        stream = a_stream(9)
        rows.record(at(1, "CREATE", stream, Name="Client 9"))
        rows.store.move_watermarks([Watermark(stream, 1, 1, dirty=False)])
        (difference,) = check(rows, Check.DOCUMENTS)
        assert (difference.cause, difference.subject) == (Cause.STUCK, str(stream))
        assert name_of(rows, 9) == "Client 9"

    def test_behind_the_log_are_in_flight(self, rows: Rows) -> None:
        (stream,) = rows.create_clients(1)
        rows.record(at(2, "UPDATE", stream, Name="Newer"))
        (difference,) = check(rows, Check.DOCUMENTS)
        assert (difference.cause, difference.remedy) == (Cause.IN_FLIGHT, Remedy.LEFT)

    def test_of_parked_records_keep_what_they_say(self, rows: Rows) -> None:
        (stream,) = rows.create_clients(1)
        rows.record(at(2, "UPDATE", stream, Name="Newer"))
        rows.store.set_blocked([stream], blocked=True)
        (difference,) = check(rows, Check.DOCUMENTS)
        assert (difference.cause, difference.remedy) == (Cause.PARKED, Remedy.LEFT)
        assert name_of(rows, 1) == "Client 1"

    def test_are_only_reported_where_nothing_shall_be_mended(self, rows: Rows) -> None:
        rows.create_clients(1)
        rows.spoil(a_stream(), "Wrong")
        (difference,) = check(rows, Check.DOCUMENTS, repair=False)
        assert difference.remedy is Remedy.NONE
        assert name_of(rows, 1) == "Wrong"

    def test_are_compared_page_by_page(self, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(walking, "PAGE", 2)
        rows.create_clients(5)
        rows.spoil(a_stream(5), "Wrong")
        assert len(check(rows, Check.DOCUMENTS)) == 1

    def test_are_not_expected_of_an_object_without_a_mapping(self, rows: Rows) -> None:
        assert check(rows, Check.DOCUMENTS, "Unmapped__c") == []


class TestBroadcasts:
    def test_that_were_sent_are_no_difference(self, rows: Rows) -> None:
        rows.create_clients(1)
        rows.now += timedelta(hours=1)
        assert check(rows, Check.BROADCASTS, "") == []

    def test_that_were_not_sent_are_named_and_sent(self, rows: Rows) -> None:
        stream = a_stream()
        rows.record(at(1, "CREATE", stream, Name="Client 1"))
        rows.store.move_watermarks([Watermark(stream, projected=1)])
        rows.now += timedelta(hours=1)
        (difference,) = check(rows, Check.BROADCASTS, "")
        assert (difference.cause, difference.subject) == (Cause.STUCK, str(stream))
        assert len(sent_messages()) == 1
        assert check(rows, Check.BROADCASTS, "") == []

    def test_of_the_last_minutes_are_not_late_yet(self, rows: Rows) -> None:
        stream = a_stream()
        rows.record(at(1, "CREATE", stream, Name="Client 1"))
        rows.store.move_watermarks([Watermark(stream, projected=1)])
        assert check(rows, Check.BROADCASTS, "") == []
