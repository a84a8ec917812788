"""The start page: whether changes come through, in plain words, and where to look if not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from config.console.calls import call_budget
from config.console.differences import drift_of_last_checks
from config.console.feeds import feed_rows, feed_words
from config.console.runs.views import run_row
from config.templatetags.console import duration, in_hours
from crm_api.models import ApiKey, Scope
from crm_events import selectors
from crm_events.admin.states import BLOCKED, DEGRADED, FAILING, HEALTHY, NEEDS_REREAD, PENDING, State, feed_state
from crm_events.backends import event_store, runs
from crm_events.ports.event_store import EventStoreUnavailableError, StoreStatistics
from crm_events.ports.runs import RunQuery, RunStatus
from crm_events.services.reconciliation.feeds import FeedState, FeedView, feeds

# Most changes are readable within a second or two; sweeps run every five.
_LONG_LAG_SECONDS = 60
_OPEN = State("bad", "error", "Open")
_TOO_LONG = State("warn", "warning", "Too long")
_FOUND = State("warn", "difference", "Found")
_FEW = State("warn", "speed", "Few left")
_RECORDS = "crm_events.view_record"
_LIVE_SECONDS = 15
_UNFINISHED = RunQuery(statuses=[RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.PAUSED], limit=5)
_SEE_RELAY = "see that the event relay, the bus and the forwarder run; Feeds says how much time is left."


class Sentence(NamedTuple):
    """How the whole stands: its state, what is so, and what to do next."""

    state: State
    fact: str
    following: str


class Tile(NamedTuple):
    """One figure with its meaning and the page behind it."""

    title: str
    figure: str
    note: str
    link: str
    permission: str
    state: State | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """What the start page speaks of; ``store`` is ``None`` while the event store does not answer."""

    store: StoreStatistics | None
    waiting_deliveries: int
    oldest_delivery: datetime | None
    open_letters: int
    now: datetime
    feeds: Sequence[FeedView] = ()

    @property
    def missing(self) -> list[FeedView]:
        """Return the feeds of which events are missing, the one with the least time left first."""
        missing = [feed for feed in self.feeds if feed.time_left is not None]
        return sorted(missing, key=lambda feed: feed.time_left or timedelta())

    @property
    def lag_seconds(self) -> float:
        """Return the age of the oldest change that is not served or not broadcast yet."""
        pending = self.store.oldest_pending_since if self.store else None
        oldest = min((since for since in (self.oldest_delivery, pending) if since), default=None)
        return max(0.0, (self.now - oldest).total_seconds()) if oldest else 0.0


def add_figures(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return the start page's context with figures and words (Unfold's dashboard callback)."""
    now = timezone.now()
    context |= {"title": "Start", "now": now}
    if not selectors.any_delivery():
        return context | {"steps": _steps(request), "ingest_address": _ingest_address(request)}
    waiting, oldest = selectors.unfinished_deliveries()
    letters = sum(selectors.dead_letter_counts().values())
    figures = Figures(_statistics(), waiting, oldest, letters, now, feeds(now))
    last = selectors.last_checks()
    every = (*_tiles(figures), *_salesforce_tiles(figures, last))
    tiles = [tile for tile in every if request.user.has_perm(tile.permission)]
    context |= {"sentence": sentence_about(figures), "tiles": tiles, "live": _LIVE_SECONDS}
    if request.user.has_perm("crm_events.view_feed"):
        context["feeds"] = feed_rows(now, {(one.check, one.target): one for one in last})
    if request.user.has_perm("crm_events.view_run"):
        context["runs"] = [run_row(run, now) for run in runs().find(_UNFINISHED)]
    return context


def _statistics() -> StoreStatistics | None:
    try:
        return event_store().statistics()
    except EventStoreUnavailableError:
        return None


def sentence_about(figures: Figures) -> Sentence:
    """Return how the whole stands, the weightiest trouble first."""
    if figures.store is None:
        return Sentence(
            FAILING,
            "The event store does not answer, so nothing new is recorded.",
            "see that it runs and can be reached. Nothing is lost: deliveries wait in the operational database.",
        )
    if figures.missing and figures.missing[0].state is not FeedState.STALLED:
        worst = figures.missing[0]
        fact, following = feed_words(worst, None, figures.now)
        return Sentence(FAILING, f"{worst.entity_name}: {fact}", following)
    if figures.lag_seconds > _LONG_LAG_SECONDS:
        fact = f"Changes wait for {duration(figures.lag_seconds)} before they can be read and are broadcast."
        return Sentence(DEGRADED, fact, "see whether workers run, and whether read model and broadcast answer.")
    if figures.missing:
        names = ", ".join(feed.entity_name for feed in figures.missing)
        return Sentence(DEGRADED, f"Changes of {names} came to Salesforce, and no event told of them.", _SEE_RELAY)
    if waiting := _undecided(figures.open_letters, figures.store.blocked_streams):
        return Sentence(DEGRADED, f"Some changes could not be handled: {waiting}.", "open the dead letters and decide.")
    return Sentence(HEALTHY, "Every change is recorded, served and broadcast.", "")


def _undecided(letters: int, blocked: int) -> str:
    parts = [(letters, "dead letter waits", "dead letters wait"), (blocked, "record is blocked", "records are blocked")]
    return ", ".join(f"{count:,} {one if count == 1 else many}" for count, one, many in parts if count)


def _tiles(figures: Figures) -> list[Tile]:
    letters = Tile(
        "Dead letters",
        f"{figures.open_letters:,}",
        "wait for a decision" if figures.open_letters else "none waits for a decision",
        reverse("admin:crm_events_deadletter_changelist"),
        "crm_events.view_deadletter",
        _OPEN if figures.open_letters else None,
    )
    deliveries = Tile(
        "Deliveries waiting",
        f"{figures.waiting_deliveries:,}",
        "accepted, not in the log yet",
        f"{reverse('admin:crm_events_delivery_changelist')}?status=accepted",
        "crm_events.view_delivery",
    )
    return [*(_record_tiles(figures, figures.store) if figures.store else []), letters, deliveries]


def _salesforce_tiles(figures: Figures, last: Sequence[selectors.LastCheck]) -> list[Tile]:
    drift = drift_of_last_checks(last)
    differences = Tile(
        "Differences",
        f"{drift:,}",
        "found by the last check of each kind" if drift else "the last check of each kind found none",
        reverse("admin:crm_events_drift_changelist"),
        "crm_events.view_drift",
        _FOUND if drift else None,
    )
    return [_clock_tile(figures), differences, *_call_tiles(figures.now)]


def _clock_tile(figures: Figures) -> Tile:
    address = reverse("admin:crm_events_feed_changelist")
    if not figures.missing:
        note = "no event is missing" if figures.feeds else "no event came from Salesforce yet"
        return Tile("Recovery clock", "72 h", note, address, "crm_events.view_feed")
    worst = figures.missing[0]
    left = in_hours(worst.time_left)
    note = f"left to bring back events of {worst.entity_name} without a backfill"
    return Tile("Recovery clock", left, note, address, "crm_events.view_feed", feed_state(worst.state))


def _call_tiles(now: datetime) -> list[Tile]:
    budget = call_budget(now)
    if budget is None:
        return []
    waits = [share.work for share in budget.shares if share.reason]
    note = f"slowed down: {', '.join(waits)}" if waits else f"of {budget.limit:,} calls of Salesforce are used"
    address = reverse("admin:crm_events_feed_changelist")
    return [
        Tile("Salesforce calls", f"{budget.percent} %", note, address, "crm_events.view_feed", _FEW if waits else None)
    ]


def _record_tiles(figures: Figures, store: StoreStatistics) -> list[Tile]:
    records = reverse("admin:crm_events_record_changelist")
    late = figures.lag_seconds > _LONG_LAG_SECONDS
    waiting = f"{store.pending_events:,} events wait" if store.pending_events else "no event waits"
    return [
        Tile("Lag", duration(figures.lag_seconds), waiting, f"{records}?state=pending", _RECORDS, _too_long(late)),
        Tile(
            "Pending records",
            f"{store.pending_streams:,}",
            "on their way to readers",
            f"{records}?state=pending",
            _RECORDS,
            PENDING if store.pending_streams else None,
        ),
        Tile(
            "Blocked records",
            f"{store.blocked_streams:,}",
            "each by its own dead letter" if store.blocked_streams else "none is held up",
            f"{records}?state=blocked",
            _RECORDS,
            BLOCKED if store.blocked_streams else None,
        ),
        Tile(
            "To be read again",
            f"{store.dirty_streams:,}",
            "a value is unknown until Salesforce is read" if store.dirty_streams else "every value is known",
            f"{records}?state=reread",
            _RECORDS,
            NEEDS_REREAD if store.dirty_streams else None,
        ),
    ]


def _too_long(late: bool) -> State | None:
    return _TOO_LONG if late else None


def _steps(request: HttpRequest) -> dict[str, Any]:
    """Return what is done and what is allowed of the three steps that bring data in."""
    active = ApiKey.objects.filter(revoked_at=None)
    may_see = request.user.has_perm("crm_api.view_apikey")
    return {"key": next((key for key in active if Scope.INGEST in key.scopes), None), "may_see_keys": may_see}


def _ingest_address(request: HttpRequest) -> str:
    return request.build_absolute_uri("/api/v1/events/")
