from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crm_events.domain.events import EventSource, EventType
from crm_events.models import Run
from crm_events.ports.api_budget import Allowance, Purpose
from crm_events.ports.crm_source import (
    CursorExpiredError,
    SourceAccessError,
    SourceLimitError,
    SourceRefusedError,
    SourceUnavailableError,
)
from crm_events.ports.runs import RunStatus, RunView
from crm_events.services import backfill
from crm_events.services.backfill import BackfillOptions, BackfillWorker, Mode, estimate
from crm_events.services.runs import STALE_AFTER
from tests.builders import a_new_event, a_stream, an_id
from tests.integration.crm_events.delivering import NOW
from tests.integration.crm_events.reading import Desk

pytestmark = pytest.mark.django_db
KILLED = RuntimeError


@pytest.fixture
def desk() -> Desk:
    return Desk()


def start(desk: Desk, **options: Any) -> RunView:
    return desk.start("backfill", "Account", BackfillOptions(**options).to_parameters())


def sweep(desk: Desk, slice_of_time: timedelta | None = None) -> None:
    desk.runner("backfill", BackfillWorker(desk.access, desk.writer, desk.wake)).sweep(slice_of_time)


def run(desk: Desk, **options: Any) -> RunView:
    """Start a backfill, let it work until nothing can be claimed, and return it."""
    made = start(desk, **options)
    for _ in range(20):
        sweep(desk)
        desk.now += timedelta(seconds=10)
    return desk.runs.get(made.id)


@pytest.fixture(params=[Mode.REST, Mode.BULK])
def mode(request: pytest.FixtureRequest) -> Mode:
    found: Mode = request.param
    return found


class TestBackfill:
    def test_brings_every_row_into_the_log(self, desk: Desk, mode: Mode) -> None:
        desk.put(5)
        ended = run(desk, mode=mode)
        assert (ended.status, ended.counts["rows"], ended.counts["recorded"]) == (RunStatus.DONE, 5, 5)
        assert [desk.state(a_stream(n)).fields["Name"] for n in range(1, 6)] == [f"Client {n}" for n in range(1, 6)]

    def test_makes_complete_records(self, desk: Desk, mode: Mode) -> None:
        desk.put(1)
        run(desk, mode=mode)
        assert (desk.state().complete, desk.state().is_dirty) == (True, False)

    def test_wakes_the_projector_for_what_it_wrote(self, desk: Desk, mode: Mode) -> None:
        desk.put(3)
        run(desk, mode=mode)
        assert sorted(desk.woken) == [a_stream(1), a_stream(2), a_stream(3)]

    def test_appends_nothing_the_second_time(self, desk: Desk, mode: Mode) -> None:
        desk.put(3)
        run(desk, mode=mode)
        ended = run(desk, mode=mode)
        assert (ended.counts["unchanged"], ended.counts["recorded"]) == (3, 0)
        assert desk.types() == [EventType.SNAPSHOT]

    def test_says_first_how_many_rows_and_calls_it_expects(self, desk: Desk) -> None:
        desk.put(3)
        ended = run(desk)
        assert ended.total == 3
        assert ended.log[0] == "3 rows to read by REST, about 3 calls."

    def test_marks_its_events_as_its_own(self, desk: Desk) -> None:
        desk.put(1)
        ended = run(desk)
        (stored,) = desk.events()
        assert (stored.event.source, stored.event.delivery_id) == (EventSource.BACKFILL, f"run:{ended.id}")

    def test_loses_to_changes_committed_while_it_reads(self, desk: Desk, mode: Mode) -> None:
        desk.put(1, Industry="old")
        later = int(NOW.timestamp() * 1000)
        desk.happen(a_new_event("UPDATE", {"Industry": "new"}, timestamp=later))
        run(desk, mode=mode)
        assert desk.state().fields["Industry"] == "new"

    def test_keeps_to_the_condition(self, desk: Desk) -> None:
        desk.put(3)
        ended = run(desk, where="Name = 'Client 2'")
        assert ended.counts["rows"] == 1

    def test_keeps_to_rows_modified_since(self, desk: Desk) -> None:
        desk.put(1)
        desk.source.now += timedelta(hours=1)
        desk.source.put("Account", {"Id": an_id(2), "Name": "Newer"})
        ended = run(desk, since=NOW + timedelta(minutes=30))
        assert (ended.counts["rows"], desk.state(a_stream(2)).fields["Name"]) == (1, "Newer")

    def test_reads_named_records_and_counts_the_missing(self, desk: Desk) -> None:
        desk.put(3)
        ended = run(desk, ids=[an_id(1), an_id(3), an_id(9)])
        assert (ended.status, ended.counts["rows"], ended.counts["missing"]) == (RunStatus.DONE, 2, 1)

    def test_only_counts_in_a_dry_run(self, desk: Desk, mode: Mode) -> None:
        desk.put(3)
        ended = run(desk, mode=mode, dry_run=True)
        assert ended.counts["recorded"] == 3
        assert (desk.woken, desk.store.heads([a_stream()])) == ([], {})

    @pytest.mark.parametrize("broadcast", [True, False])
    def test_is_silent_unless_asked(self, desk: Desk, broadcast: bool) -> None:
        desk.put(1)
        run(desk, broadcast=broadcast)
        (stored,) = desk.events()
        assert f'"broadcast":{str(broadcast).lower()}' in stored.event.raw


class TestInterrupted:
    def test_goes_on_with_the_page_after_the_last_written_one(self, desk: Desk) -> None:
        desk.put(6)
        desk.source.page_size = 2
        desk.source.fail("read", SourceUnavailableError("TIMEOUT", "No answer."), after=2)
        made = start(desk)
        sweep(desk)
        desk.now += STALE_AFTER + timedelta(seconds=1)
        reads = desk.source.calls.count("read")
        sweep(desk)
        ended = desk.runs.get(made.id)
        assert (ended.status, ended.counts["rows"]) == (RunStatus.DONE, 6)
        assert desk.source.calls.count("read") - reads == 1

    def test_takes_the_same_bulk_job_up_again(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(backfill, "BULK_PAGE", 2)
        desk.put(6)
        desk.source.fail("job_page", SourceUnavailableError("TIMEOUT", "No answer."), after=2)
        made = start(desk, mode=Mode.BULK)
        sweep(desk)
        desk.now += STALE_AFTER + timedelta(seconds=1)
        sweep(desk)
        assert desk.runs.get(made.id).counts["rows"] == 6
        assert desk.source.calls.count("create_job") == 1

    def test_begins_again_when_salesforce_forgot_the_cursor(self, desk: Desk) -> None:
        desk.put(6)
        desk.source.page_size = 2
        desk.source.fail("read", CursorExpiredError("INVALID_QUERY_LOCATOR", "It is too old."), after=1)
        ended = run(desk)
        assert (ended.status, ended.counts["rows"], ended.counts["recorded"]) == (RunStatus.DONE, 6, 6)
        assert "begins again" in " ".join(ended.log)

    def test_lets_others_go_first_while_salesforce_prepares_the_rows(self, desk: Desk) -> None:
        desk.put(1)
        desk.source.job_polls = 2
        made = start(desk, mode=Mode.BULK)
        sweep(desk)
        resting = desk.runs.get(made.id)
        assert (resting.status, resting.not_before) == (RunStatus.QUEUED, NOW + timedelta(seconds=5))


class TestCallsThatAreFew:
    def test_are_asked_for_as_a_backfill(self, desk: Desk) -> None:
        desk.put(1)
        run(desk)
        assert set(desk.budget.asked) == {Purpose.BACKFILL}

    def test_slow_it_down(self, desk: Desk) -> None:
        desk.put(1)
        desk.budget.allowance = Allowance(delay_seconds=1.5)
        assert run(desk).status is RunStatus.DONE
        assert set(desk.pauses) == {1.5}

    def test_let_it_wait_and_say_so(self, desk: Desk) -> None:
        desk.put(1)
        desk.budget.allowance = Allowance(wait_until=NOW + timedelta(hours=1), reason="Few calls are left.")
        made = start(desk)
        sweep(desk)
        resting = desk.runs.get(made.id)
        assert (resting.not_before, resting.log) == (NOW + timedelta(hours=1), ["Few calls are left."])
        assert desk.source.calls == []

    def test_let_it_rest_when_the_org_has_none_left(self, desk: Desk) -> None:
        desk.put(1)
        desk.source.fail("read", SourceLimitError("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))
        made = start(desk)
        sweep(desk)
        assert desk.runs.get(made.id).not_before == NOW + timedelta(hours=1)
        Run.objects.update(not_before=NOW)
        sweep(desk)
        assert desk.runs.get(made.id).status is RunStatus.DONE


class TestFailure:
    @pytest.mark.parametrize(
        ("error", "words"),
        [
            (SourceAccessError("invalid_grant", "user hasn't approved this consumer"), "does not let us in"),
            (SourceRefusedError("INVALID_FIELD", "No such column 'Nonsense'"), "refuses the call"),
        ],
    )
    def test_says_what_is_so_and_what_to_do(self, desk: Desk, error: Exception, words: str) -> None:
        desk.put(1)
        desk.source.fail("count", error)  # type: ignore[arg-type]
        ended = run(desk)
        assert ended.status is RunStatus.FAILED
        assert words in ended.error
        assert "Next:" in ended.error

    def test_of_a_bulk_job_says_why(self, desk: Desk) -> None:
        desk.put(1)
        desk.source.job_error = "QUERY_TIMEOUT"
        ended = run(desk, mode=Mode.BULK)
        assert ended.error.startswith("Salesforce could not prepare the rows: QUERY_TIMEOUT. Next: read fewer rows")


class TestSteering:
    def test_pauses_between_pages_and_goes_on(self, desk: Desk) -> None:
        desk.put(6)
        desk.source.page_size = 2
        made = start(desk)
        desk.source.before_call = lambda method: method == "read" and desk.runs.request_pause(made.id)  # type: ignore[assignment]
        sweep(desk)
        paused = desk.runs.get(made.id)
        assert (paused.status, paused.counts["rows"]) == (RunStatus.PAUSED, 2)
        desk.source.before_call = lambda _method: None
        desk.runs.resume(made.id)
        sweep(desk)
        assert desk.runs.get(made.id).counts["rows"] == 6

    def test_stops_between_pages_when_cancelled(self, desk: Desk) -> None:
        desk.put(6)
        desk.source.page_size = 2
        made = start(desk)
        desk.source.before_call = lambda method: method == "read" and desk.runs.request_cancel(made.id, NOW)  # type: ignore[assignment]
        sweep(desk)
        assert (desk.runs.get(made.id).status, desk.runs.get(made.id).counts["rows"]) == (RunStatus.CANCELLED, 2)


class TestEstimate:
    @pytest.mark.parametrize(
        ("rows", "mode", "calls"),
        [(0, Mode.REST, 3), (2_001, Mode.REST, 4), (9_999, Mode.REST, 7), (10_000, Mode.BULK, 11)],
    )
    def test_takes_the_way_with_fewer_calls(self, rows: int, mode: Mode, calls: int) -> None:
        expected = estimate(BackfillOptions(), rows)
        assert (expected.mode, expected.calls) == (mode, calls)

    def test_keeps_to_the_way_asked_for(self) -> None:
        assert estimate(BackfillOptions(mode=Mode.REST), 1_000_000).mode is Mode.REST


def test_options_survive_the_row_of_their_run() -> None:
    options = BackfillOptions(
        datetime(2026, 1, 1, tzinfo=UTC), "Name != null", (an_id(),), Mode.BULK, dry_run=True, include_deleted=True
    )
    assert BackfillOptions.from_parameters(options.to_parameters()) == options
