"""Salesforce's API calls: how many are used, what each kind of work may still use, and who waits for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.conf import settings

from config.console.runs.words import title_of
from crm_events.admin.states import State
from crm_events.backends import api_budget, runs
from crm_events.ports.api_budget import Purpose
from crm_events.ports.crm_source import ApiUsage
from crm_events.ports.runs import RunQuery, RunStatus, RunView
from crm_events.services.api_policy import Share, decide

_FREE = State("ok", "check_circle", "Free")
_SLOWER = State("warn", "speed", "Slower")
_WAITS = State("warn", "hourglass_empty", "Waits")
_WORK = {Purpose.REPAIR: "Gap repair", Purpose.RECONCILIATION: "Reconciliation", Purpose.BACKFILL: "Backfill"}
_QUEUED_LOOKED_AT = 100


class ShareRow(NamedTuple):
    """What one kind of work may use: percentages where it slows down and where it waits, and the calls it has left."""

    work: str
    slow: float
    stop: float
    left: int
    state: State
    reason: str


@dataclass(frozen=True, slots=True)
class CallBudget:
    """The org's calls of 24 hours as Salesforce told them last."""

    used: int
    limit: int
    told_at: datetime
    shares: Sequence[ShareRow]

    @property
    def percent(self) -> int:
        """Return how much is used, 0 to 100."""
        return min(100, self.used * 100 // self.limit) if self.limit else 0

    @property
    def left(self) -> int:
        """Return how many calls the org has left."""
        return max(0, self.limit - self.used)

    @property
    def backfill(self) -> ShareRow:
        """Return what backfills may still use."""
        return next(share for share in self.shares if share.work == _WORK[Purpose.BACKFILL])


class RestingRun(NamedTuple):
    """A run that rests until a time, and what it said last."""

    run: RunView
    title: str
    said: str


def call_budget(now: datetime) -> CallBudget | None:
    """Return how the calls stand; ``None`` while Salesforce was never asked."""
    told = api_budget().usage()
    if told is None:
        return None
    usage, told_at = told
    return CallBudget(
        usage.used, usage.limit, min(told_at, now), [_share(purpose, usage, told_at) for purpose in Purpose]
    )


def _share(purpose: Purpose, usage: ApiUsage, told_at: datetime) -> ShareRow:
    share = Share.of_percentages(settings.CRM_API_SHARES[purpose.name.lower()])
    allowance = decide(purpose, share, usage, told_at)
    state = _WAITS if allowance.wait_until is not None else _SLOWER if allowance.delay_seconds else _FREE
    left = max(0, int(share.stop * usage.limit) - usage.used)
    return ShareRow(_WORK[purpose], share.slow * 100, share.stop * 100, left, state, allowance.reason)


def resting_runs(now: datetime) -> list[RestingRun]:
    """Return the runs that rest until a time: for calls of Salesforce, or for a job that it prepares."""
    queued = runs().find(RunQuery(statuses=[RunStatus.QUEUED], limit=_QUEUED_LOOKED_AT))
    resting = [run for run in queued if run.not_before is not None and run.not_before > now]
    return [RestingRun(run, title_of(run), run.log[-1] if run.log else "") for run in resting]
