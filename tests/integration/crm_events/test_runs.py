from datetime import timedelta

import pytest

from crm_events.models import Run
from crm_events.ports.runs import (
    RunLostError,
    RunProgress,
    RunQuery,
    RunRequest,
    RunStatus,
    RunView,
    UnknownRunError,
)
from crm_events.services.runs import STALE_AFTER, OperationalRuns
from tests.integration.crm_events.delivering import NOW

pytestmark = pytest.mark.django_db
RUNS = OperationalRuns()
STALE = NOW + STALE_AFTER + timedelta(seconds=1)


def a_run(kind: str = "replay", target: str = "Account") -> RunView:
    return RUNS.create(RunRequest(kind, target, {"dry_run": True}, "ada", "a new field"), NOW)


def a_claimed_run() -> RunView:
    claimed = RUNS.claim(a_run().id, NOW)
    assert claimed is not None
    return claimed


def row() -> Run:
    return Run.objects.get()


class TestCreate:
    def test_queues_the_run_as_it_was_asked_for(self) -> None:
        run = a_run()
        assert (run.kind, run.target, run.parameters) == ("replay", "Account", {"dry_run": True})
        assert (run.status, run.cursor, run.counts, run.total) == (RunStatus.QUEUED, None, {}, None)
        assert (row().started_by, row().reason, row().created_at) == ("ada", "a new field", NOW)

    def test_can_be_found_again(self) -> None:
        run = a_run()
        assert RUNS.get(run.id) == run

    def test_knows_no_other(self) -> None:
        with pytest.raises(UnknownRunError):
            RUNS.get(12345)


class TestFindUnfinished:
    def test_returns_the_newest_of_its_kind_and_target(self) -> None:
        a_run()
        newest = a_run()
        a_run("rebuild")
        a_run(target="Lead")
        assert RUNS.find_unfinished("replay", "Account") == newest

    @pytest.mark.parametrize("status", [RunStatus.DONE, RunStatus.FAILED, RunStatus.CANCELLED])
    def test_passes_over_ended_ones(self, status: RunStatus) -> None:
        RUNS.finish(a_claimed_run(), status, NOW)
        assert RUNS.find_unfinished("replay", "Account") is None

    def test_returns_paused_ones(self) -> None:
        run = a_claimed_run()
        RUNS.pause(run, NOW)
        found = RUNS.find_unfinished("replay", "Account")
        assert found is not None
        assert found.status is RunStatus.PAUSED


class TestClaim:
    def test_starts_a_waiting_run(self) -> None:
        claimed = a_claimed_run()
        assert (claimed.status, bool(claimed.claim)) == (RunStatus.RUNNING, True)
        assert (row().started_at, row().heartbeat_at, row().attempts) == (NOW, NOW, 1)

    def test_is_given_to_one_only(self) -> None:
        run = a_run()
        assert [RUNS.claim(run.id, NOW) is None for _ in range(2)] == [False, True]

    def test_takes_over_a_run_whose_worker_died(self) -> None:
        run = a_claimed_run()
        taken = RUNS.claim(run.id, STALE)
        assert taken is not None
        assert taken.claim != run.claim
        assert (row().attempts, row().started_at) == (2, NOW)

    def test_leaves_a_run_alone_that_shows_life(self) -> None:
        run = a_claimed_run()
        RUNS.advance(run, RunProgress(None, {}), NOW + STALE_AFTER)
        assert RUNS.claim(run.id, STALE) is None

    def test_takes_a_paused_one_only_to_resume_it(self) -> None:
        run = a_claimed_run()
        RUNS.pause(run, NOW)
        assert RUNS.claim(run.id, STALE) is None
        resumed = RUNS.claim(run.id, STALE, resume=True)
        assert resumed is not None
        assert resumed.status is RunStatus.RUNNING

    @pytest.mark.parametrize("status", [RunStatus.DONE, RunStatus.FAILED, RunStatus.CANCELLED])
    def test_never_takes_an_ended_one(self, status: RunStatus) -> None:
        run = RUNS.finish(a_claimed_run(), status, NOW)
        assert RUNS.claim(run.id, STALE, resume=True) is None

    def test_lists_what_can_be_claimed_oldest_first(self) -> None:
        stale, waiting, paused = a_claimed_run(), a_run("rebuild"), a_claimed_run()
        RUNS.pause(paused, NOW)
        assert RUNS.claimable(["replay", "rebuild"], STALE) == [stale.id, waiting.id]
        assert RUNS.claimable(["rebuild"], STALE) == [waiting.id]
        assert RUNS.claimable(["replay", "rebuild"], NOW) == [waiting.id]


class TestAdvance:
    def test_writes_how_far_it_came(self) -> None:
        RUNS.advance(a_claimed_run(), RunProgress(["Account", "x"], {"streams": 5}, 9, ["begun"]), STALE)
        run = RUNS.get(row().pk)
        assert (run.cursor, run.counts, run.total, run.log) == (["Account", "x"], {"streams": 5}, 9, ["begun"])
        assert row().heartbeat_at == STALE

    def test_keeps_the_total_and_adds_to_the_log(self) -> None:
        run = RUNS.advance(a_claimed_run(), RunProgress(1, {}, 9, ["a"]), NOW)
        run = RUNS.advance(run, RunProgress(2, {}, None, ["b"]), NOW)
        assert (run.total, run.log) == (9, ["a", "b"])

    def test_keeps_the_end_of_a_long_log(self) -> None:
        run = RUNS.advance(a_claimed_run(), RunProgress(1, {}, log=[str(n) for n in range(300)]), NOW)
        assert (len(run.log), run.log[-1]) == (200, "299")

    def test_is_refused_to_who_was_taken_for_dead(self) -> None:
        run = a_claimed_run()
        RUNS.claim(run.id, STALE)
        with pytest.raises(RunLostError):
            RUNS.advance(run, RunProgress(1, {"streams": 1}), STALE)
        assert (row().cursor, row().counts) == (None, {})

    def test_is_refused_after_the_end(self) -> None:
        run = a_claimed_run()
        RUNS.finish(run, RunStatus.DONE, NOW)
        for change in (
            lambda: RUNS.advance(run, RunProgress(1, {}), NOW),
            lambda: RUNS.pause(run, NOW),
            lambda: RUNS.finish(run, RunStatus.FAILED, NOW),
        ):
            with pytest.raises(RunLostError):
                change()
        assert row().status == "done"

    def test_tells_of_a_wish_to_cancel(self) -> None:
        run = a_claimed_run()
        assert not RUNS.advance(run, RunProgress(1, {}), NOW).cancel_requested
        assert RUNS.request_cancel(run.id, NOW)
        assert RUNS.advance(run, RunProgress(1, {}), NOW).cancel_requested


class TestEnd:
    def test_says_how_and_when(self) -> None:
        RUNS.finish(a_claimed_run(), RunStatus.FAILED, STALE, "no disk")
        assert (row().status, row().finished_at, row().error, row().claim) == ("failed", STALE, "no disk", "")

    def test_comes_at_once_for_a_run_nobody_works_on(self) -> None:
        assert RUNS.request_cancel(a_run().id, STALE)
        assert (row().status, row().finished_at) == ("cancelled", STALE)

    def test_comes_at_once_for_a_paused_run(self) -> None:
        run = a_claimed_run()
        RUNS.pause(run, NOW)
        assert RUNS.request_cancel(run.id, STALE)
        assert row().status == "cancelled"

    def test_is_only_asked_for_while_somebody_works(self) -> None:
        run = a_claimed_run()
        assert RUNS.request_cancel(run.id, NOW)
        assert (row().status, row().cancel_requested) == ("running", True)

    def test_cannot_be_asked_for_twice(self) -> None:
        RUNS.finish(a_claimed_run(), RunStatus.DONE, NOW)
        assert not RUNS.request_cancel(row().pk, NOW)
        assert (row().status, row().cancel_requested) == ("done", False)

    def test_of_a_pause_keeps_cursor_and_counts(self) -> None:
        run = RUNS.advance(a_claimed_run(), RunProgress(7, {"streams": 3}), NOW)
        RUNS.pause(run, NOW)
        resumed = RUNS.claim(run.id, NOW, resume=True)
        assert resumed is not None
        assert (resumed.cursor, resumed.counts) == (7, {"streams": 3})


class TestRelease:
    def test_lets_the_next_one_take_it_with_its_cursor(self) -> None:
        run = RUNS.advance(a_claimed_run(), RunProgress(["Account", "x"], {"streams": 3}), NOW)
        RUNS.release(run, NOW)
        claimed = RUNS.claim(run.id, NOW)
        assert claimed is not None
        assert (claimed.cursor, claimed.counts) == (["Account", "x"], {"streams": 3})

    def test_until_a_time_leaves_it_alone_before(self) -> None:
        run = a_claimed_run()
        RUNS.release(run, NOW, NOW + timedelta(minutes=5))
        assert RUNS.claimable(["replay"], NOW + timedelta(minutes=4)) == []
        assert RUNS.claimable(["replay"], NOW + timedelta(minutes=5)) == [run.id]

    def test_puts_it_behind_those_that_waited_longer(self) -> None:
        worked, waiting = a_claimed_run(), a_run()
        RUNS.release(worked, NOW + timedelta(seconds=1))
        assert RUNS.claimable(["replay"], NOW + timedelta(seconds=1)) == [waiting.id, worked.id]

    def test_is_refused_to_who_was_taken_for_dead(self) -> None:
        run = a_claimed_run()
        RUNS.claim(run.id, STALE)
        with pytest.raises(RunLostError):
            RUNS.release(run, STALE)


class TestPause:
    def test_comes_at_once_for_a_run_nobody_works_on(self) -> None:
        run = a_run()
        assert RUNS.request_pause(run.id)
        assert RUNS.claimable(["replay"], STALE) == []

    def test_is_only_asked_for_while_somebody_works(self) -> None:
        run = a_claimed_run()
        assert RUNS.request_pause(run.id)
        assert RUNS.advance(run, RunProgress(None, {}), NOW).pause_requested

    def test_cannot_be_asked_of_an_ended_run(self) -> None:
        run = a_claimed_run()
        RUNS.finish(run, RunStatus.DONE, NOW)
        assert not RUNS.request_pause(run.id)

    def test_ends_when_somebody_resumes_the_run(self) -> None:
        run = a_run()
        RUNS.request_pause(run.id)
        assert RUNS.resume(run.id)
        assert RUNS.claimable(["replay"], NOW) == [run.id]

    def test_can_be_taken_back_before_it_came(self) -> None:
        run = a_claimed_run()
        RUNS.request_pause(run.id)
        assert RUNS.resume(run.id)
        assert not RUNS.advance(run, RunProgress(None, {}), NOW).pause_requested

    def test_is_forgotten_once_it_came(self) -> None:
        run = a_claimed_run()
        RUNS.request_pause(run.id)
        RUNS.pause(run, NOW)
        claimed = RUNS.claim(run.id, NOW, resume=True)
        assert claimed is not None
        assert not claimed.pause_requested


class TestTimeWorked:
    def test_adds_up_between_signs_of_life(self) -> None:
        run = RUNS.advance(a_claimed_run(), RunProgress(None, {}), NOW + timedelta(seconds=4))
        run = RUNS.advance(run, RunProgress(None, {}), NOW + timedelta(seconds=10))
        assert run.worked_seconds == 10

    def test_leaves_out_the_time_nobody_worked(self) -> None:
        run = a_claimed_run()
        RUNS.release(run, NOW + timedelta(seconds=3))
        claimed = RUNS.claim(run.id, NOW + timedelta(hours=1))
        assert claimed is not None
        assert RUNS.advance(claimed, RunProgress(None, {}), NOW + timedelta(hours=1, seconds=2)).worked_seconds == 5


class TestFind:
    def test_lists_the_newest_first_in_pages(self) -> None:
        first, second, third = a_run(), a_run(), a_run()
        assert RUNS.find(RunQuery(limit=2)) == [third, second]
        assert RUNS.find(RunQuery(limit=2, before=second.id)) == [first]

    def test_keeps_to_kinds_and_statuses(self) -> None:
        wanted = a_run("rebuild")
        a_run("replay")
        RUNS.finish(a_claimed_run(), RunStatus.DONE, NOW)
        assert RUNS.find(RunQuery(kinds=["rebuild"], statuses=[RunStatus.QUEUED])) == [wanted]
