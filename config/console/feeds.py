"""The recovery clock: how the feed of each object stands, when it was last compared, and what to do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone

from config.console.calls import call_budget, resting_runs
from config.console.runs.words import CHECKS
from config.templatetags.console import duration
from crm_events import selectors
from crm_events.admin.base import ReadOnlyAdmin
from crm_events.admin.states import State, feed_state
from crm_events.backends import has_crm_source
from crm_events.domain.drift import OF_THE_WHOLE, Check
from crm_events.ports.crm_source import NoSourceError
from crm_events.services.reconciliation.feeds import KEPT_BY_SALESFORCE, FeedState, FeedView, feeds

LIVE_SECONDS = 10
_OF_OBJECTS = tuple(check for check in CHECKS if check not in OF_THE_WHOLE)
# The nightly checks come once a day; a little more is no fault.
_OVERDUE = {
    Check.UNFINISHED: timedelta(hours=1),
    Check.WINDOWS: timedelta(hours=1),
    Check.SAMPLE: timedelta(hours=4),
    Check.IDS: timedelta(hours=26),
    Check.DOCUMENTS: timedelta(hours=26),
    Check.BROADCASTS: timedelta(hours=1),
}
_WORST_FIRST = (FeedState.LOST, FeedState.CLOSING, FeedState.STALLED, FeedState.QUIET, FeedState.FLOWING)

_WORDS = {
    FeedState.FLOWING: ("Events come.", ""),
    FeedState.STALLED: (
        "Salesforce changed records, and no event of them came.",
        "see that the event relay, the bus and the forwarder run. What they hold comes by itself then.",
    ),
    FeedState.CLOSING: (
        "Events are missing, and Salesforce will forget them within a day.",
        "mend the event relay or the forwarder now; later only a backfill brings them back.",
    ),
    FeedState.LOST: (
        "Salesforce has forgotten the events that are missing.",
        "mend the relay. A backfill of what changed since opens by itself; see it among the runs.",
    ),
}


class CheckCell(NamedTuple):
    """When a check came to its end last, for one object or the whole service."""

    check: Check
    words: str
    last: selectors.LastCheck | None
    is_overdue: bool


@dataclass(frozen=True, slots=True)
class FeedRow:
    """One feed with its words. ``used_percent`` says how much of the 72 hours has gone by since it stalled."""

    feed: FeedView
    state: State
    fact: str
    following: str
    used_percent: int
    checks: Sequence[CheckCell]

    @property
    def is_calm(self) -> bool:
        """Say whether nothing is missing."""
        return self.feed.time_left is None


class FeedAdmin(ReadOnlyAdmin):
    """Feeds of Salesforce's change events, object by object."""

    title = "Feeds"

    def get_urls(self) -> list[URLPattern]:
        """Return the one address."""
        return [path("", self.admin_site.admin_view(self.list_view), name="crm_events_feed_changelist")]

    def list_view(self, request: HttpRequest) -> HttpResponse:
        """Show all feeds, the checks of the whole service, and the calls of Salesforce."""
        self.check_view(request)
        now = timezone.now()
        last = {(one.check, one.target): one for one in selectors.last_checks()}
        context = {
            "title": self.title,
            "rows": feed_rows(now, last),
            "check_names": [words.capitalize() for check, words in CHECKS.items() if check in _OF_OBJECTS],
            "whole": [_cell(check, "", last, now) for check in CHECKS if check in OF_THE_WHOLE],
            "budget": call_budget(now),
            "resting": resting_runs(now),
            "no_source": "" if has_crm_source() else NoSourceError().detail,
            "live": LIVE_SECONDS,
        }
        return self.render(request, "console/feeds.html", context)


def feed_rows(now: datetime, last: Mapping[tuple[Check, str], selectors.LastCheck]) -> list[FeedRow]:
    """Return all feeds, the worst first."""
    rows = [_row(feed, last, now) for feed in feeds(now)]
    return sorted(rows, key=lambda row: (_WORST_FIRST.index(row.feed.state), row.feed.entity_name))


def _row(feed: FeedView, last: Mapping[tuple[Check, str], selectors.LastCheck], now: datetime) -> FeedRow:
    fact, following = feed_words(feed, last.get((Check.WINDOWS, feed.entity_name)), now)
    gone = KEPT_BY_SALESFORCE - feed.time_left if feed.time_left is not None else timedelta()
    return FeedRow(
        feed,
        feed_state(feed.state),
        fact,
        following,
        min(100, int(gone / KEPT_BY_SALESFORCE * 100)),
        [_cell(check, feed.entity_name, last, now) for check in _OF_OBJECTS],
    )


def feed_words(feed: FeedView, compared: selectors.LastCheck | None, now: datetime) -> tuple[str, str]:
    """Return what is so of a feed, and what to do next, if anything."""
    if feed.state is not FeedState.QUIET:
        return _WORDS[feed.state]
    if compared is None:
        return "No event came lately.", "compare its changes with Salesforce, to tell a quiet feed from a stalled one."
    ago = duration((now - compared.finished_at).total_seconds())
    return f"No event came lately, and {ago} ago Salesforce had no change that was missed.", ""


def _cell(check: Check, target: str, last: Mapping[tuple[Check, str], Any], now: datetime) -> CheckCell:
    found = last.get((check, target))
    overdue = found is not None and now - found.finished_at > _OVERDUE[check]
    return CheckCell(check, CHECKS[check], found, overdue)
