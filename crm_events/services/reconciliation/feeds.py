"""The recovery clock: how long since the last event of each object, and whether that is quiet or a stalled feed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from django.db.models import Case, F, When
from django.db.models.functions import Greatest

from crm_events.domain.events import EventSource, NewEvent
from crm_events.models import Feed
from crm_events.ports.commands import StartBackfill
from crm_events.services.backfill import BackfillOptions

# How long Salesforce keeps change events (Change Data Capture guide, Change Event Storage and Delivery).
KEPT_BY_SALESFORCE = timedelta(hours=72)
# A change of which no event came within this time was missed.
_STALL_AFTER = timedelta(minutes=15)
# So long before the end of the 72 hours operators are warned.
_WARNING = timedelta(hours=24)
_OVERLAP = timedelta(hours=1)
# Without an event for so long, and without a change that was missed, a feed is quiet.
_QUIET_AFTER = timedelta(hours=1)


class FeedState(StrEnum):
    """How the feed of an object stands."""

    FLOWING = "flowing"  # events came within the last hour
    QUIET = "quiet"  # no event came for longer, and as far as is known nothing changed
    STALLED = "stalled"  # Salesforce changed records, and no event of them came
    CLOSING = "closing"  # stalled for so long that Salesforce will soon forget the events
    LOST = "lost"  # stalled for longer than Salesforce keeps events; only a backfill brings them back


@dataclass(frozen=True, slots=True)
class FeedView:
    """The feed of one object: when its last event was committed and came, and what is left of the 72 hours."""

    entity_name: str
    state: FeedState
    last_commit: datetime
    last_arrival: datetime
    stalled_since: datetime | None
    time_left: timedelta | None


def note_arrivals(events: Sequence[NewEvent], now: datetime) -> None:
    """Remember the newest event of each object; its feed flows."""
    newest: dict[str, int] = {}
    for event in events:
        if event.source is EventSource.CDC:
            name = event.stream.entity_name
            newest[name] = max(newest.get(name, 0), event.order_key.commit_timestamp)
    for name in sorted(newest):
        _note_arrival(name, datetime.fromtimestamp(newest[name] / 1000, UTC), now)


def _note_arrival(name: str, commit: datetime, now: datetime) -> None:
    # Events of before the stall may be late ones; only what is newer says that the feed flows again.
    flowing = Case(When(stalled_since__lt=commit, then=None), default=F("stalled_since"))
    newest = {"last_commit": Greatest(F("last_commit"), commit), "last_arrival": Greatest(F("last_arrival"), now)}
    if not Feed.objects.filter(pk=name).update(**newest, stalled_since=flowing):
        Feed.objects.bulk_create([Feed(pk=name, last_commit=commit, last_arrival=now)], ignore_conflicts=True)


def note_missed(name: str, modified: datetime) -> None:
    """Remember that no event told of a change made at a time, which may mean that the object's feed stalled.

    While newer events still come, single ones were lost on the way, and the feed flows.
    """
    silent = Feed.objects.filter(pk=name, stalled_since=None, last_commit__lt=modified - _STALL_AFTER)
    silent.update(stalled_since=F("last_commit"))


def feeds(now: datetime) -> list[FeedView]:
    """Return the feeds of all objects that ever had an event, by name."""
    return [_view(feed, now) for feed in Feed.objects.order_by("entity_name")]


def _view(feed: Feed, now: datetime) -> FeedView:
    left = None if feed.stalled_since is None else feed.stalled_since + KEPT_BY_SALESFORCE - now
    state = _state(left) if left is not None else _calm(now - feed.last_arrival)
    return FeedView(feed.pk, state, feed.last_commit, feed.last_arrival, feed.stalled_since, left)


def _calm(since_last: timedelta) -> FeedState:
    return FeedState.QUIET if since_last > _QUIET_AFTER else FeedState.FLOWING


def _state(left: timedelta) -> FeedState:
    if left <= timedelta():
        return FeedState.LOST
    return FeedState.CLOSING if left <= _WARNING else FeedState.STALLED


def recovery_backfills(now: datetime) -> list[StartBackfill]:
    """Return the backfills that bring back what lost feeds did not: each loss once, from a little before it began."""
    return [
        StartBackfill(
            name,
            BackfillOptions(since=since - _OVERLAP, include_deleted=True, broadcast=True).to_parameters(),
            "the recovery clock",
            f"No event of {name} came since {since:%d %b %H:%M}; Salesforce has forgotten those by now.",
        )
        for name, since in take_lost(now).items()
    ]


def take_lost(now: datetime) -> Mapping[str, datetime]:
    """Return since when each lost feed has to be read again, and start its clock anew: each loss is returned once."""
    before = now - KEPT_BY_SALESFORCE
    lost = dict(Feed.objects.filter(stalled_since__lte=before).values_list("entity_name", "stalled_since"))
    return {
        name: since
        for name, since in lost.items()
        if since is not None and Feed.objects.filter(pk=name, stalled_since=since).update(stalled_since=now)
    }
