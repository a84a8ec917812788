"""How far each kind of work may use up the org's daily API calls, and how it slows down before it stops."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from crm_events.ports.api_budget import Allowance, Purpose
from crm_events.ports.crm_source import ApiUsage

# The limit counts the last 24 hours at every moment (Salesforce Developer Limits, API Request Limits), so calls come
# free all the time; looking once an hour finds them soon enough and costs next to nothing.
LOOK_AGAIN = timedelta(hours=1)
LONGEST_DELAY = 30.0
_WORK = {
    Purpose.REPAIR: "gap repair",
    Purpose.RECONCILIATION: "reconciliation",
    Purpose.BACKFILL: "backfill",
}


@dataclass(frozen=True, slots=True)
class Share:
    """From which part of the daily calls on work slows down, and at which it stops; 0 to 1, ``slow`` below ``stop``."""

    slow: float
    stop: float

    def __post_init__(self) -> None:
        if not 0 <= self.slow < self.stop <= 1:
            raise ValueError(f"wanted two rising percentages from 0 to 100, such as 50,70, not {self!r}")

    @classmethod
    def of_percentages(cls, percentages: "list[float]") -> "Share":
        """Read ``[50, 70]``.

        :raises ValueError: these are not two rising percentages.
        """
        if len(percentages) != 2:  # noqa: PLR2004  # slow and stop
            raise ValueError(f"wanted two rising percentages from 0 to 100, such as 50,70, not {percentages!r}")
        return cls(percentages[0] / 100, percentages[1] / 100)


def decide(purpose: Purpose, share: Share, usage: ApiUsage, told_at: datetime) -> Allowance:
    """Say whether work of this kind may make a call, given the org's use and when Salesforce told it.

    The delay grows with the square of the way from ``slow`` to ``stop``: hardly felt at first, half a minute at last.
    """
    used = usage.used / usage.limit if usage.limit > 0 else 0.0
    if used >= share.stop:
        return Allowance(wait_until=told_at + LOOK_AGAIN, reason=_stopped(purpose, share, usage, told_at))
    if used <= share.slow:
        return Allowance()
    way = (used - share.slow) / (share.stop - share.slow)
    return Allowance(delay_seconds=LONGEST_DELAY * way * way, reason=_slowed(purpose, share, usage))


def _slowed(purpose: Purpose, share: Share, usage: ApiUsage) -> str:
    return (
        f"{_used(usage)}, so {_WORK[purpose]} goes slower. It waits from {share.stop:.0%} on, "
        "so that calls are left for more urgent work."
    )


def _stopped(purpose: Purpose, share: Share, usage: ApiUsage, told_at: datetime) -> str:
    return (
        f"{_used(usage)}, and {_WORK[purpose]} waits from {share.stop:.0%} on. Calls come free again as older ones "
        f"pass out of the last 24 hours; it looks again at {told_at + LOOK_AGAIN:%H:%M} UTC by itself."
    )


def _used(usage: ApiUsage) -> str:
    part = usage.used / usage.limit
    return f"{usage.used:,} of the {usage.limit:,} API calls that the org has in 24 hours are used ({part:.0%})"
