from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from crm_events.models import Run
from crm_events.ports.runs import RunRequest, RunStatus, RunView
from crm_events.running.runner import Runner, RunSession
from crm_events.services.runs import OperationalRuns
from tests.integration.crm_events.delivering import NOW

pytestmark = pytest.mark.django_db
RUNS = OperationalRuns()
PAGES = 4


@dataclass
class PageWorker:
    """Works pages that each take a second of the clock; does something of the test's at one of them."""

    clock: Iterator[datetime] | None = None
    worked: list[int] = field(default_factory=list)

    def work(self, session: RunSession) -> None:
        for page in range(session.cursor or 0, PAGES):
            self.worked.append(session.run.id)
            self.at_page(session, page)
            session.cursor = page + 1
            session.count("pages")
            session.save()

    def at_page(self, session: RunSession, page: int) -> None:
        pass


class Clock:
    """A clock that goes on by a second each time somebody looks."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def a_run() -> RunView:
    return RUNS.create(RunRequest("pages", "", {}, "ada"), NOW)


def a_runner(worker: PageWorker) -> Runner:
    return Runner(RUNS, {"pages": worker}, Clock())


class TestSlices:
    def test_let_runs_take_turns(self) -> None:
        worker = PageWorker()
        first, second = a_run(), a_run()
        runner = a_runner(worker)
        while runner.sweep(timedelta(seconds=1)).unfinished:
            pass
        assert worker.worked == [first.id, second.id] * PAGES

    def test_lose_nothing_of_the_work(self) -> None:
        run = a_run()
        runner = a_runner(PageWorker())
        while runner.sweep(timedelta(seconds=1)).unfinished:
            pass
        ended = RUNS.get(run.id)
        assert (ended.status, ended.counts) == (RunStatus.DONE, {"pages": PAGES})

    def test_are_not_for_who_works_to_the_end(self) -> None:
        a_run()
        assert a_runner(PageWorker()).sweep().ended == 1


class TestRest:
    def test_leaves_the_run_until_its_time(self) -> None:
        class Waits(PageWorker):
            def at_page(self, session: RunSession, page: int) -> None:
                if page == 2 and len(self.worked) == 3:
                    session.rest(session.now + timedelta(hours=1), "Waiting for calls.")

        worker, run = Waits(), a_run()
        swept = a_runner(worker).sweep()
        resting = RUNS.get(run.id)
        assert (swept.ended, swept.unfinished) == (0, False)
        assert (resting.status, resting.cursor, resting.log) == (RunStatus.QUEUED, 2, ["Waiting for calls."])
        Run.objects.update(not_before=NOW)
        assert a_runner(worker).sweep().ended == 1


class TestPause:
    def test_comes_with_the_next_page(self) -> None:
        class IsAsked(PageWorker):
            def at_page(self, session: RunSession, page: int) -> None:
                if page == 1:
                    RUNS.request_pause(session.run.id)

        run = a_run()
        a_runner(IsAsked()).sweep()
        assert (RUNS.get(run.id).status, RUNS.get(run.id).cursor) == (RunStatus.PAUSED, 2)


class TestEnd:
    def test_keeps_what_was_counted_after_the_last_page(self) -> None:
        class CountsAtLast(PageWorker):
            def work(self, session: RunSession) -> None:
                super().work(session)
                session.count("differences", 3)

        run = a_run()
        a_runner(CountsAtLast()).sweep()
        ended = RUNS.get(run.id)
        assert (ended.status, dict(ended.counts)) == (RunStatus.DONE, {"pages": PAGES, "differences": 3})
