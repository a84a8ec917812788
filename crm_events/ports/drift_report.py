"""Where the differences that checks find are kept, for people to read and for numbers to be made of."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from crm_events.domain.drift import Cause, Check, Difference


@dataclass(frozen=True, slots=True)
class ReportedDifference:
    """A difference with its number, the run that found it, and when."""

    number: int
    run_id: int
    found_at: datetime
    difference: Difference


@dataclass(frozen=True, slots=True)
class DifferenceQuery:
    """Which differences to list, newest first; ``before`` is the number of the last one of the page before."""

    run_ids: Sequence[int] = ()
    checks: Sequence[Check] = ()
    causes: Sequence[Cause] = ()
    limit: int = 100
    before: int | None = None


class DriftReport(ABC):
    """Keep what checks found."""

    @abstractmethod
    def add(self, run_id: int, differences: Sequence[Difference], now: datetime) -> None:
        """Keep differences of a run; one of the same check, cause and record within the run is kept once."""

    @abstractmethod
    def find(self, query: DifferenceQuery) -> list[ReportedDifference]:
        """Return a page of differences."""

    @abstractmethod
    def counts(self, run_ids: Sequence[int]) -> Mapping[tuple[Check, Cause], int]:
        """Count the differences that some runs found, by check and cause."""

    @abstractmethod
    def remove_before(self, moment: datetime) -> int:
        """Remove what was found before a moment; return how many."""
