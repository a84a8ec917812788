"""The states that operators see: a word, an icon and a tone for each, the same on every page."""

from typing import NamedTuple

from crm_events.domain.heads import Head
from crm_events.models import DeadLetter, Delivery, Run


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
    Run.Status.QUEUED.value: State("idle", "schedule", "Queued"),
    Run.Status.RUNNING.value: State("run", "play_circle", "Running"),
    Run.Status.PAUSED.value: State("warn", "pause_circle", "Paused"),
    Run.Status.CANCELLED.value: State("idle", "cancel", "Cancelled"),
    Run.Status.FAILED.value: State("bad", "error", "Failed"),
    Run.Status.DONE.value: State("ok", "check_circle", "Done"),
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


def run_state(run: Run) -> State:
    """Return where a run stands."""
    return _RUNS[run.status]


def outcome_state(outcome: str) -> State:
    """Return what became of an item of a delivery."""
    return _OUTCOMES.get(outcome, State("idle", "help", outcome))
