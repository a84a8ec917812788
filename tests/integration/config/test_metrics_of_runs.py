from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from config.metrics.collector import ServiceCollector
from crm_events import backends
from crm_events.backends import drift_report, runs
from crm_events.domain.drift import Cause, Check, Difference, run_kind
from crm_events.models import Feed
from crm_events.ports.crm_source import ApiUsage
from crm_events.ports.runs import RunRequest, RunStatus, RunView

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 10, 6, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _forget_calls() -> Iterator[None]:
    """Other tests' calls are known to the process."""
    backends.api_budget.cache_clear()
    yield
    backends.api_budget.cache_clear()


def figures(name: str, now: datetime = NOW) -> dict[tuple[str, ...], float]:
    """Return the samples of one figure by the values of their labels."""
    family = next(family for family in ServiceCollector(now).collect() if family.name == name)
    return {tuple(sample.labels.values()): sample.value for sample in family.samples}


def queued(kind: str = "backfill", target: str = "Account", now: datetime = NOW) -> RunView:
    return runs().create(RunRequest(kind, target, {}, "tests"), now)


def ended(kind: str, target: str, at: datetime, status: RunStatus = RunStatus.DONE) -> RunView:
    claimed = runs().claim(queued(kind, target, at).id, at)
    assert claimed is not None
    return runs().finish(claimed, status, at)


def a_difference(cause: Cause = Cause.MISSED_EVENT, check: Check = Check.IDS, subject: str = "Account#1") -> Difference:
    return Difference(check, cause, subject)


class TestRuns:
    def test_are_counted_by_kind_and_status(self) -> None:
        queued()
        queued(target="Lead")
        ended("replay", "", NOW, RunStatus.FAILED)
        assert figures("crm_runs") == {("backfill", "queued"): 2, ("replay", "failed"): 1}

    def test_that_ended_long_ago_are_counted_no_more(self) -> None:
        ended("replay", "", NOW - 25 * HOUR)
        assert figures("crm_runs") == {}

    def test_say_how_long_the_oldest_waits(self) -> None:
        queued(now=NOW - 2 * HOUR)
        queued(now=NOW - HOUR)
        assert figures("crm_runs_waiting_seconds") == {("backfill",): 7200}

    def test_that_rest_do_not_wait(self) -> None:
        run = runs().claim(queued(now=NOW - 2 * HOUR).id, NOW - HOUR)
        assert run is not None
        runs().release(run, NOW - HOUR, NOW + HOUR)
        assert figures("crm_runs_waiting_seconds") == {}
        assert figures("crm_runs_waiting_seconds", NOW + 2 * HOUR) == {("backfill",): 3600}


class TestChecks:
    def test_say_when_they_came_to_their_end_last(self) -> None:
        ended(run_kind(Check.IDS), "Account", NOW - 5 * HOUR)
        ended(run_kind(Check.IDS), "Account", NOW - 2 * HOUR)
        ended(run_kind(Check.IDS), "Account", NOW - HOUR, RunStatus.FAILED)
        assert figures("crm_check_age_seconds") == {("ids", "Account"): 7200}

    def test_tell_what_the_last_run_found_by_cause(self) -> None:
        before = ended(run_kind(Check.IDS), "Account", NOW - 5 * HOUR)
        last = ended(run_kind(Check.IDS), "Account", NOW - HOUR)
        drift_report().add(before.id, [a_difference(subject=f"Account#{n}") for n in range(7)], NOW)
        drift_report().add(last.id, [a_difference(), a_difference(Cause.HARD_DELETE)], NOW)
        assert figures("crm_drift") == {("ids", "none"): 0, ("ids", "missed event"): 1, ("ids", "hard delete"): 1}

    def test_that_never_ran_say_nothing(self) -> None:
        assert figures("crm_drift") == {}
        assert figures("crm_check_age_seconds") == {}


class TestFeeds:
    @staticmethod
    def feed(**values: Any) -> None:
        Feed.objects.create(**{"entity_name": "Account", "last_commit": NOW, "last_arrival": NOW} | values)

    def test_have_one_state(self) -> None:
        self.feed()
        states = figures("crm_feed_state", NOW + HOUR / 2)
        assert [state for (_, state), value in states.items() if value] == ["flowing"]
        assert len(states) == 5

    def test_say_when_the_last_event_came(self) -> None:
        self.feed()
        assert figures("crm_feed_last_event_seconds", NOW + HOUR) == {("Account",): 3600}

    def test_say_what_is_left_of_the_72_hours(self) -> None:
        self.feed()
        self.feed(entity_name="Lead", stalled_since=NOW)
        left = figures("crm_feed_recovery_seconds_left", NOW + 70 * HOUR)
        assert left == {("Account",): 72 * 3600, ("Lead",): 2 * 3600}


class TestApiCalls:
    def test_are_told_as_salesforce_told_them(self) -> None:
        backends.api_budget().note(ApiUsage(18_402, 100_000), NOW)
        assert figures("crm_salesforce_api_calls_used") == {(): 18_402}
        assert figures("crm_salesforce_api_calls_limit") == {(): 100_000}
        assert figures("crm_salesforce_api_calls_told_seconds", NOW + HOUR) == {(): 3600}

    def test_are_unknown_before_the_first_call(self) -> None:
        names = {family.name for family in ServiceCollector(NOW).collect()}
        assert "crm_salesforce_api_calls_used" not in names
