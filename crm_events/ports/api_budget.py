"""One budget of Salesforce API calls for all jobs of all processes."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from crm_events.ports.crm_source import ApiUsage


class Purpose(IntEnum):
    """What a call is for; the smaller, the longer it may go on when calls become few."""

    REPAIR = 1
    RECONCILIATION = 2
    BACKFILL = 3


@dataclass(frozen=True, slots=True)
class Allowance:
    """Whether to call: at once, after ``delay_seconds``, or not before ``wait_until``. ``reason`` is for operators."""

    delay_seconds: float = 0.0
    wait_until: datetime | None = None
    reason: str = ""


class ApiBudget(ABC):
    """Share the org's daily calls: a reserve for gap repair, then reconciliation, then backfill."""

    @abstractmethod
    def allow(self, purpose: Purpose, now: datetime) -> Allowance:
        """Say whether the next call may be made; without any knowledge of the org's use, it may."""

    @abstractmethod
    def note(self, usage: ApiUsage, now: datetime) -> None:
        """Remember the org's use as Salesforce told it; what is newer wins."""

    @abstractmethod
    def usage(self) -> tuple[ApiUsage, datetime] | None:
        """Return the last known use and when it was told, for metrics and the console."""
