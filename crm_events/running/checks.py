"""How checks become runs: one for each object, unless the one before is still under way."""

from collections.abc import Sequence
from datetime import datetime

from crm_events.domain.drift import OF_THE_WHOLE, Check, run_kind
from crm_events.ports.runs import RunRequest, Runs

_BY = "the schedule"


def check_targets(check: Check, objects: Sequence[str]) -> Sequence[str]:
    """Return the targets of a check's runs: each object, or one empty name where it looks at the whole service."""
    return [""] if check in OF_THE_WHOLE else objects


def queue_checks(runs: Runs, check: Check, targets: Sequence[str], now: datetime) -> int:
    """Queue a run of the check for each target that has none under way; return how many."""
    kind = run_kind(check)
    free = [target for target in targets if runs.find_unfinished(kind, target) is None]
    for target in free:
        runs.create(RunRequest(kind, target, {}, _BY), now)
    return len(free)
