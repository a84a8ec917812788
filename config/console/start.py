"""The start page: whether changes come through, in plain words, and where to look if not."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from config.templatetags.console import duration
from crm_api.models import ApiKey, Scope
from crm_events import selectors
from crm_events.admin.states import BLOCKED, DEGRADED, FAILING, HEALTHY, NEEDS_REREAD, PENDING, State
from crm_events.backends import event_store
from crm_events.ports.event_store import EventStoreUnavailableError, StoreStatistics

# Most changes are readable within a second or two; sweeps run every five.
_LONG_LAG_SECONDS = 60
_OPEN = State("bad", "error", "Open")
_TOO_LONG = State("warn", "warning", "Too long")
_RECORDS = "crm_events.view_record"


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
    figures = Figures(_statistics(), waiting, oldest, sum(selectors.dead_letter_counts().values()), now)
    tiles = [tile for tile in _tiles(figures) if request.user.has_perm(tile.permission)]
    return context | {"sentence": sentence_about(figures), "tiles": tiles}


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
    if figures.lag_seconds > _LONG_LAG_SECONDS:
        fact = f"Changes wait for {duration(figures.lag_seconds)} before they can be read and are broadcast."
        return Sentence(DEGRADED, fact, "see whether workers run, and whether read model and broadcast answer.")
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
