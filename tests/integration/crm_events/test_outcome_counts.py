from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from crm_events.models import OutcomeCount
from crm_events.selectors import outcome_totals
from crm_events.services.outcomes import count_outcomes
from tests.integration.crm_events.delivering import NOW

pytestmark = pytest.mark.django_db
MINUTE = NOW.replace(second=0, microsecond=0)


def counts() -> list[tuple[object, str, int]]:
    return list(OutcomeCount.objects.order_by("minute", "outcome").values_list("minute", "outcome", "count"))


def test_are_kept_for_each_minute() -> None:
    count_outcomes(["recorded", "late", "recorded"], NOW)
    count_outcomes(["recorded"], NOW + timedelta(minutes=1))
    later = MINUTE + timedelta(minutes=1)
    assert counts() == [(MINUTE, "late", 1), (MINUTE, "recorded", 2), (later, "recorded", 1)]


def test_are_added_to_within_the_minute() -> None:
    count_outcomes(["recorded"], MINUTE)
    count_outcomes(["recorded"] * 4, MINUTE + timedelta(seconds=59.999))
    assert counts() == [(MINUTE, "recorded", 5)]


def test_are_none_for_nothing() -> None:
    count_outcomes([], NOW)
    assert counts() == []


def test_add_up_to_totals() -> None:
    count_outcomes(["recorded", "late"], NOW)
    count_outcomes(["recorded"], NOW + timedelta(hours=5))
    assert outcome_totals() == {"recorded": 2, "late": 1}


@pytest.mark.django_db(transaction=True)
def test_lose_nothing_when_many_count_at_once() -> None:
    barrier = Barrier(4)

    def count(_: int) -> None:
        barrier.wait()
        try:
            for _ in range(20):
                count_outcomes(["recorded", "duplicate", "late"], NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(4)))
    assert [count for _, _, count in counts()] == [80, 80, 80]
