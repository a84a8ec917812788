"""Runs as pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from config.console.runs import words
from config.templatetags.console import duration
from crm_events.admin.states import RESTING, SILENT, State, run_state
from crm_events.ports.commands import Steering
from crm_events.ports.runs import RunStatus, RunView
from crm_events.running import progress

_LIVE_STATUSES = (RunStatus.QUEUED, RunStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run with the words and figures that a list shows of it."""

    run: RunView
    title: str
    state: State
    percent: int | None
    done: int
    rate: float | None
    seconds_left: float | None
    error: str

    @property
    def is_live(self) -> bool:
        """Say whether it may change by itself."""
        return self.run.status in _LIVE_STATUSES


def run_row(run: RunView, now: datetime) -> RunRow:
    """Return a run as a list shows it."""
    done = RunStatus.DONE is run.status
    return RunRow(
        run,
        words.title_of(run),
        run_state(run, now),
        100 if done else progress.percent(run),
        progress.done(run),
        progress.rate(run),
        progress.seconds_left(run),
        run.error.partition(" Next: ")[0],
    )


def run_context(run: RunView, now: datetime) -> dict[str, Any]:
    """Return what a run's page shows."""
    row = run_row(run, now)
    fact, _, following = run.error.partition(" Next: ")
    left = row.seconds_left
    return {
        "title": row.title,
        "row": row,
        "run": run,
        "meaning": words.meaning_of(run),
        "unit": words.unit_of(run),
        "until": now + timedelta(seconds=left) if left is not None else None,
        "is_resting": row.state == RESTING,
        "is_silent": row.state == SILENT,
        "error": fact,
        "following": following,
        "result": words.result_of(run, duration(run.worked_seconds)),
        "counts": words.count_rows(run),
        "parameters": words.parameter_rows(run),
        "log": list(reversed(run.log)),
        "steering": words.steering_words(run),
        "offers": offers(run),
        "is_check": run.kind.startswith("check-"),
    }


def offers(run: RunView) -> Sequence[Steering]:
    """Return what can be asked of a run as it stands."""
    if run.status.has_ended or run.cancel_requested:
        return ()
    resumable = run.status is RunStatus.PAUSED or run.pause_requested
    return (Steering.RESUME if resumable else Steering.PAUSE, Steering.CANCEL)
