from datetime import datetime, timedelta

import pytest

from crm_events.domain.events import EventSource
from crm_events.services.reconciliation.feeds import (
    KEPT_BY_SALESFORCE,
    FeedState,
    feeds,
    note_arrivals,
    note_missed,
    recovery_backfills,
)
from tests.builders import a_new_event, a_stream
from tests.integration.crm_events.delivering import NOW

pytestmark = pytest.mark.django_db


def arrive(committed: datetime, now: datetime | None = None, entity: str = "Account") -> None:
    event = a_new_event("UPDATE", stream=a_stream(entity=entity), timestamp=int(committed.timestamp() * 1000))
    note_arrivals([event], now or committed)


def state(now: datetime) -> FeedState:
    (feed,) = feeds(now)
    return feed.state


class TestClock:
    def test_knows_the_last_event_of_each_object(self) -> None:
        arrive(NOW, NOW + timedelta(seconds=3))
        arrive(NOW - timedelta(hours=1), entity="Lead")
        account, lead = feeds(NOW)
        assert (account.entity_name, lead.entity_name) == ("Account", "Lead")
        assert (account.last_commit, account.last_arrival) == (
            NOW.replace(microsecond=NOW.microsecond // 1000 * 1000),
            NOW + timedelta(seconds=3),
        )

    def test_does_not_go_back_for_a_late_event(self) -> None:
        arrive(NOW)
        (before,) = feeds(NOW)
        arrive(NOW - timedelta(days=1), NOW)
        assert feeds(NOW) == [before]

    def test_is_not_set_by_rows_that_we_read_ourselves(self) -> None:
        event = a_new_event("UPDATE")
        event.source = EventSource.BACKFILL
        note_arrivals([event], NOW)
        assert feeds(NOW) == []


class TestQuietOrStalled:
    def test_a_feed_without_changes_in_salesforce_is_quiet_for_ever(self) -> None:
        arrive(NOW)
        assert state(NOW + timedelta(minutes=50)) is FeedState.FLOWING
        assert state(NOW + timedelta(days=30)) is FeedState.QUIET

    def test_a_change_without_an_event_means_that_it_stalled(self) -> None:
        arrive(NOW)
        note_missed("Account", NOW + timedelta(hours=1))
        (feed,) = feeds(NOW + timedelta(hours=2))
        assert (feed.state, feed.stalled_since) == (FeedState.STALLED, feed.last_commit)

    def test_a_single_lost_event_among_newer_ones_is_no_stall(self) -> None:
        arrive(NOW)
        note_missed("Account", NOW - timedelta(hours=1))
        note_missed("Account", NOW + timedelta(minutes=1))
        assert state(NOW + timedelta(hours=1)) is FeedState.FLOWING

    def test_ends_with_the_next_event(self) -> None:
        arrive(NOW)
        note_missed("Account", NOW + timedelta(hours=1))
        arrive(NOW + timedelta(hours=2))
        assert state(NOW + timedelta(hours=2)) is FeedState.FLOWING

    def test_does_not_end_with_a_late_event(self) -> None:
        arrive(NOW)
        note_missed("Account", NOW + timedelta(hours=1))
        arrive(NOW - timedelta(hours=1), NOW + timedelta(hours=2))
        assert state(NOW + timedelta(hours=2)) is FeedState.STALLED


class TestLoss:
    @pytest.fixture(autouse=True)
    def stalled(self) -> None:
        arrive(NOW)
        note_missed("Account", NOW + timedelta(hours=1))

    def test_is_announced_a_day_before(self) -> None:
        assert state(NOW + timedelta(hours=47)) is FeedState.STALLED
        assert state(NOW + timedelta(hours=49)) is FeedState.CLOSING

    def test_comes_when_salesforce_has_forgotten_the_events(self) -> None:
        assert state(NOW + KEPT_BY_SALESFORCE) is FeedState.LOST

    def test_opens_a_bounded_backfill_once(self) -> None:
        after = NOW + KEPT_BY_SALESFORCE + timedelta(minutes=1)
        (opened,) = recovery_backfills(after)
        assert opened.entity_name == "Account"
        assert opened.parameters["since"] < NOW.isoformat()
        assert recovery_backfills(after) == []

    def test_opens_another_one_if_the_feed_stays_silent(self) -> None:
        first = NOW + KEPT_BY_SALESFORCE + timedelta(minutes=1)
        recovery_backfills(first)
        assert recovery_backfills(first + timedelta(hours=71)) == []
        (again,) = recovery_backfills(first + KEPT_BY_SALESFORCE)
        assert again.parameters["since"] > (NOW + timedelta(hours=70)).isoformat()

    def test_is_not_opened_for_a_feed_that_flows(self) -> None:
        arrive(NOW + timedelta(hours=2))
        assert recovery_backfills(NOW + KEPT_BY_SALESFORCE * 2) == []
