from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_events.ports.api_budget import Allowance, Purpose
from crm_events.ports.crm_source import ApiUsage
from crm_events.services.api_policy import LONGEST_DELAY, Share, decide

NOW = datetime(2026, 10, 6, 8, 0, tzinfo=UTC)
SHARE = Share(0.5, 0.7)


def at(used: float, share: Share = SHARE) -> Allowance:
    return decide(Purpose.BACKFILL, share, ApiUsage(int(used * 10_000), 10_000), NOW)


def test_calls_at_once_while_there_are_many() -> None:
    assert at(0.5) == Allowance()


def test_slows_down_smoothly_before_it_stops() -> None:
    delays = [at(0.5 + step / 100).delay_seconds for step in range(20)]
    steps = [later - earlier for earlier, later in pairwise(delays)]
    assert delays[0] == 0
    assert min(steps) > 0
    assert max(steps) < LONGEST_DELAY / 8
    assert LONGEST_DELAY * 0.85 < delays[-1] < LONGEST_DELAY


def test_waits_an_hour_from_when_it_was_told() -> None:
    assert at(0.7).wait_until == NOW + timedelta(hours=1)


def test_says_in_plain_words_why_it_waits() -> None:
    assert at(0.71).reason == (
        "7,100 of the 10,000 API calls that the org has in 24 hours are used (71%), and backfill waits from 70% on. "
        "Calls come free again as older ones pass out of the last 24 hours; it looks again at 09:00 UTC by itself."
    )


def test_says_in_plain_words_why_it_goes_slower() -> None:
    assert at(0.6).reason.startswith("6,000 of the 10,000 API calls that the org has in 24 hours are used (60%), so ")


@given(used=st.integers(0, 12_000), more=st.integers(0, 2_000))
def test_never_allows_more_when_fewer_calls_are_left(used: int, more: int) -> None:
    less, greater = (decide(Purpose.BACKFILL, SHARE, ApiUsage(count, 10_000), NOW) for count in (used, used + more))
    assert (less.wait_until is not None, less.delay_seconds if less.wait_until is None else LONGEST_DELAY) <= (
        greater.wait_until is not None,
        greater.delay_seconds if greater.wait_until is None else LONGEST_DELAY,
    )


def test_knows_nothing_of_an_org_without_a_limit() -> None:
    assert decide(Purpose.BACKFILL, SHARE, ApiUsage(5, 0), NOW) == Allowance()


@pytest.mark.parametrize("percentages", [[50], [70, 50], [50, 50], [-1, 50], [50, 101], [1, 2, 3]])
def test_refuses_shares_that_make_no_sense(percentages: list[float]) -> None:
    with pytest.raises(ValueError, match="two rising percentages"):
        Share.of_percentages(percentages)
