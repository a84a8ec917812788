from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings

from crm_events.checks import check_budget
from crm_events.ports.api_budget import Purpose
from crm_events.ports.crm_source import ApiUsage
from crm_events.services.api_budget import OperationalApiBudget
from tests.integration.crm_events.delivering import NOW

pytestmark = pytest.mark.django_db
SHARES = {"repair": [90.0, 95.0], "reconciliation": [75.0, 85.0], "backfill": [50.0, 70.0]}
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def a_process() -> OperationalApiBudget:
    return OperationalApiBudget(SHARES)


def told(used: int, limit: int = 10_000, now: datetime = NOW) -> OperationalApiBudget:
    budget = a_process()
    budget.note(ApiUsage(used, limit), now)
    return budget


def is_allowed(budget: OperationalApiBudget, purpose: Purpose = Purpose.BACKFILL, now: datetime = NOW) -> bool:
    return budget.allow(purpose, now).wait_until is None


def test_allows_calls_while_nothing_is_known() -> None:
    assert is_allowed(a_process())
    assert a_process().usage() is None


@pytest.mark.parametrize(("used", "allowed"), [(6_990, 3), (7_000, 2), (8_500, 1), (9_500, 0)])
def test_keeps_a_reserve_for_repair_and_then_for_reconciliation(used: int, allowed: int) -> None:
    budget = told(used)
    assert sum(is_allowed(budget, purpose) for purpose in Purpose) == allowed


def test_tells_other_processes() -> None:
    told(8_000)
    assert a_process().usage() == (ApiUsage(8_000, 10_000), NOW)
    assert not is_allowed(a_process())


def test_believes_what_was_told_last() -> None:
    budget = told(8_000)
    budget.note(ApiUsage(100, 10_000), NOW - SECOND)
    assert not is_allowed(budget)
    budget.note(ApiUsage(200, 10_000), NOW + SECOND)
    assert is_allowed(budget, now=NOW + SECOND)


def test_does_not_let_an_older_telling_of_another_process_win() -> None:
    told(8_000)
    told(100, now=NOW - SECOND)
    assert not is_allowed(a_process())


def test_learns_what_others_were_told_since() -> None:
    budget = told(100)
    assert is_allowed(budget)
    told(8_000, now=NOW + SECOND)
    assert not is_allowed(budget, now=NOW + 2 * SECOND)


def test_counts_its_own_calls_until_it_is_told_again() -> None:
    budget = told(6_990)
    assert sum(is_allowed(budget) for _ in range(50)) == 10
    budget.note(ApiUsage(6_995, 10_000), NOW + SECOND)
    assert sum(is_allowed(budget, now=NOW + SECOND) for _ in range(50)) == 5


def test_many_processes_together_overshoot_by_little() -> None:
    told(0, 2_000)
    processes = [a_process() for _ in range(8)]
    allowed = 0
    for turn in range(400):
        allowed += sum(is_allowed(process, now=NOW + turn * SECOND / 10) for process in processes)
    # Each does not know at most the calls that the others make in a second and those they have not written yet.
    assert 1_400 <= allowed <= 1_400 + 8 * (10 + 20)


def test_queries_once_a_call_at_most_and_rarely_writes() -> None:
    budget = told(0)
    counts, writes = [], 0
    for turn in range(1_000):
        now = NOW + turn * SECOND / 20
        with CaptureQueriesContext(
            connection,
        ) as queries:
            budget.allow(Purpose.BACKFILL, now)
        counts.append(len(queries))
        with CaptureQueriesContext(connection) as more:
            budget.note(ApiUsage(turn, 10_000), now)
        writes += len(more)
    assert max(counts) <= 1
    assert sum(counts) <= 60
    assert writes <= 20


def test_looks_again_after_an_hour_with_one_call_of_all_processes() -> None:
    told(9_900)
    processes = [a_process() for _ in range(5)]
    assert not any(is_allowed(process, now=NOW + HOUR - SECOND) for process in processes)
    assert sum(is_allowed(process, now=NOW + HOUR) for process in processes) == 1


def test_goes_on_when_the_look_finds_calls() -> None:
    told(9_900)
    budget = a_process()
    assert is_allowed(budget, now=NOW + HOUR)
    budget.note(ApiUsage(1_000, 10_000), NOW + HOUR)
    assert all(is_allowed(budget, now=NOW + HOUR) for _ in range(5))


def test_lets_another_process_look_when_the_first_brings_no_answer() -> None:
    told(9_900)
    assert is_allowed(a_process(), now=NOW + HOUR)
    assert not is_allowed(a_process(), now=NOW + HOUR + 59 * SECOND)
    assert is_allowed(a_process(), now=NOW + HOUR + 60 * SECOND)


def test_finds_shares_that_make_no_sense() -> None:
    wrong = {
        "BACKEND": "crm_events.services.api_budget.OperationalApiBudget",
        "OPTIONS": {"shares": {**SHARES, "backfill": [70.0, 50.0]}},
    }
    with override_settings(CRM_API_BUDGET=wrong):
        assert [message.id for message in check_budget()] == ["crm_events.E007"]
    assert check_budget() == []
