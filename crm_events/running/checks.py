"""How checks become runs: one for each object, unless the one before is still under way."""

from collections.abc import Sequence
from datetime import datetime

from crm_events.domain.drift import Check, run_kind
from crm_events.ports.runs import RunRequest, Runs

_BY = "the schedule"


def queue_checks(runs: Runs, check: Check, targets: Sequence[str], now: datetime) -> int:
    """Queue a run of the check for each target that has none under way; return how many."""
    kind = run_kind(check)
    free = [target for target in targets if runs.find_unfinished(kind, target) is None]
    for target in free:
        runs.create(RunRequest(kind, target, {}, _BY), now)
    return len(free)
