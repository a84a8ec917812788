"""The states that operators see: a word, an icon and a tone for each, the same on every page."""

from datetime import datetime, timedelta
from typing import NamedTuple

from crm_events.domain.drift import Cause
from crm_events.domain.heads import Head
from crm_events.models import DeadLetter, Delivery
from crm_events.ports.runs import RunStatus, RunView
from crm_events.services.reconciliation.feeds import FeedState


class State(NamedTuple):
    """A state in sight. ``tone`` is ok, warn, bad, run, late or idle; only ok is shown without a fill."""

    tone: str
    icon: str
    word: str


HEALTHY = State("ok", "check_circle", "Healthy")
DEGRADED = State("warn", "warning", "Degraded")
FAILING = State("bad", "error", "Failing")

CURRENT = State("ok", "check_circle", "Current")
PENDING = State("run", "schedule", "Pending")
BLOCKED = State("bad", "block", "Blocked")
NEEDS_REREAD = State("warn", "sync", "Needs re-read")
INCOMPLETE = State("warn", "incomplete_circle", "Incomplete")
OLDER_MAPPING = State("warn", "layers_clear", "Older mapping")
ISSUE = State("warn", "warning", "Issue")
DELETED = State("idle", "delete", "Deleted")
NO_MAPPING = State("idle", "remove_circle_outline", "No mapping")

_RESOLUTIONS = {
    "": State("bad", "error", "Open"),
    DeadLetter.Resolution.PASSED.value: State("ok", "check_circle", "Passed"),
    DeadLetter.Resolution.DISCARDED.value: State("idle", "delete", "Discarded"),
}
_RUNS = {
    RunStatus.QUEUED: State("idle", "schedule", "Queued"),
    RunStatus.RUNNING: State("run", "play_circle", "Running"),
    RunStatus.PAUSED: State("warn", "pause_circle", "Paused"),
    RunStatus.CANCELLED: State("idle", "cancel", "Cancelled"),
    RunStatus.FAILED: State("bad", "error", "Failed"),
    RunStatus.DONE: State("ok", "check_circle", "Done"),
}
RESTING = State("warn", "hourglass_empty", "Resting")
PAUSING = State("warn", "pause_circle", "Pausing")
CANCELLING = State("idle", "cancel", "Cancelling")
SILENT = State("warn", "sync_problem", "No sign of life")
# A worker says more often than this that it lives.
SILENT_AFTER = timedelta(seconds=30)
_FEEDS = {
    FeedState.FLOWING: State("ok", "check_circle", "Flowing"),
    FeedState.QUIET: State("idle", "bedtime", "Quiet"),
    FeedState.STALLED: State("warn", "warning", "Stalled"),
    FeedState.CLOSING: State("bad", "timer", "Closing"),
    FeedState.LOST: State("bad", "error", "Lost"),
}
_CAUSES = {
    Cause.MISSED_EVENT: State("bad", "error", "Missed event"),
    Cause.LATE: State("late", "history", "Late"),
    Cause.IN_FLIGHT: State("run", "schedule", "In flight"),
    Cause.HARD_DELETE: State("bad", "delete_forever", "Hard delete"),
    Cause.NOT_VISIBLE: State("warn", "visibility_off", "Not visible"),
    Cause.FORMULA: State("idle", "function", "Formula field"),
    Cause.PARKED: State("bad", "block", "Parked"),
    Cause.MAPPING: State("warn", "layers_clear", "Older mapping"),
    Cause.STUCK: State("warn", "warning", "Stuck"),
}
_OUTCOMES = {
    "recorded": State("ok", "check_circle", "Recorded"),
    "late": State("late", "history", "Late"),
    "duplicate": State("idle", "content_copy", "Duplicate"),
    "resync": State("warn", "sync", "Needs re-read"),
    "unreadable": State("bad", "error", "Unreadable"),
}


def record_states(head: Head) -> list[State]:
    """Return what a head says of its record, the worst first; a record without any trouble is current."""
    flags = [(head.blocked, BLOCKED), (head.is_pending and not head.blocked, PENDING), (head.dirty, NEEDS_REREAD)]
    return [state for holds, state in flags if holds] or [CURRENT]


def dead_letter_state(letter: DeadLetter) -> State:
    """Return whether a dead letter waits for a decision, or how it ended."""
    return _RESOLUTIONS[letter.resolution if letter.resolved_at else ""]


def delivery_state(delivery: Delivery) -> State:
    """Return how far a delivery has come."""
    if delivery.status == Delivery.Status.RECORDED:
        return State("ok", "check_circle", "Recorded")
    if delivery.last_error:
        return State("warn", "replay", "Tried in vain")
    return State("run", "schedule", "Waiting")


def run_state(run: RunView, now: datetime) -> State:
    """Return where a run stands, and what was asked of it and did not happen yet."""
    if run.status is RunStatus.QUEUED and run.not_before is not None and run.not_before > now:
        return RESTING
    if run.status is RunStatus.RUNNING:
        silent = run.heartbeat_at is not None and run.heartbeat_at < now - SILENT_AFTER
        flags = [(run.cancel_requested, CANCELLING), (silent, SILENT), (run.pause_requested, PAUSING)]
        return next((state for holds, state in flags if holds), _RUNS[run.status])
    return _RUNS[run.status]


def feed_state(state: FeedState) -> State:
    """Return how the feed of an object stands."""
    return _FEEDS[state]


def cause_state(cause: Cause) -> State:
    """Return why there is a difference, red where events or records were lost on the way."""
    return _CAUSES[cause]


def outcome_state(outcome: str) -> State:
    """Return what became of an item of a delivery."""
    return _OUTCOMES.get(outcome, State("idle", "help", outcome))
