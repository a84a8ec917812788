"""Long pieces of work: the row is the truth, the task that carries it may be lost."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from crm_events.domain.errors import CrmError


class RunLostError(CrmError):
    """Somebody else took the run over, or it was ended; whoever meets this stops at once."""


class UnknownRunError(CrmError):
    """There is no such run."""


class RunStatus(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    FAILED = "failed"
    DONE = "done"

    @property
    def has_ended(self) -> bool:
        """Say whether nothing more will come of it."""
        return self in {RunStatus.CANCELLED, RunStatus.FAILED, RunStatus.DONE}


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to do and on whose word. ``kind`` names the work, ``target`` is for people, ``parameters`` for the code."""

    kind: str
    target: str
    parameters: Mapping[str, Any]
    started_by: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as its row says.

    ``not_before`` is the time until which a queued run rests, ``worked_seconds`` how long it was worked on so far,
    over all its slices and workers.
    """

    id: int
    kind: str
    target: str
    parameters: Mapping[str, Any]
    status: RunStatus
    cursor: Any
    counts: Mapping[str, int]
    total: int | None
    error: str
    cancel_requested: bool
    claim: str = ""
    log: Sequence[str] = ()
    pause_requested: bool = False
    not_before: datetime | None = None
    worked_seconds: float = 0.0
    started_by: str = ""
    reason: str = ""
    created_at: datetime | None = None
    started_at: datetime | None = None
    heartbeat_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run has come; written together, so a takeover continues where the counts say."""

    cursor: Any
    counts: Mapping[str, int]
    total: int | None = None
    log: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Which runs to list, newest first; ``before`` is the id of the last one of the page before."""

    kinds: Sequence[str] = ()
    target: str | None = None
    statuses: Sequence[RunStatus] = ()
    limit: int = 50
    before: int | None = None


class Runs(ABC):
    """Create, claim, advance and end runs. Every change of a claimed run is guarded by its claim."""

    @abstractmethod
    def create(self, request: RunRequest, now: datetime) -> RunView:
        """Queue a run."""

    @abstractmethod
    def get(self, run_id: int) -> RunView:
        """Return a run.

        :raises UnknownRunError: there is none with this id.
        """

    @abstractmethod
    def find(self, query: RunQuery) -> list[RunView]:
        """Return a page of runs."""

    @abstractmethod
    def find_unfinished(self, kind: str, target: str) -> RunView | None:
        """Return the newest run of this kind and target that has not ended."""

    @abstractmethod
    def claimable(self, kinds: Sequence[str], now: datetime) -> list[int]:
        """Return ids of runs that wait or whose heartbeat stopped, those nobody worked on for longest first."""

    @abstractmethod
    def claim(self, run_id: int, now: datetime, *, resume: bool = False) -> RunView | None:
        """Take a waiting or stale run; ``None`` if somebody has it or it ended. ``resume`` takes a paused one too."""

    @abstractmethod
    def advance(self, run: RunView, progress: RunProgress, now: datetime) -> RunView:
        """Write progress and heartbeat; the answer says whether cancelling or pausing was asked for.

        :raises RunLostError: the run was taken over or ended.
        """

    @abstractmethod
    def finish(self, run: RunView, status: RunStatus, now: datetime, error: str = "") -> RunView:
        """End a claimed run.

        :raises RunLostError: the run was taken over or ended.
        """

    @abstractmethod
    def release(self, run: RunView, now: datetime, not_before: datetime | None = None) -> None:
        """Queue a claimed run again, for whoever comes next, or for after a time.

        :raises RunLostError: the run was taken over or ended.
        """

    @abstractmethod
    def pause(self, run: RunView, now: datetime) -> None:
        """Let a claimed run rest until somebody resumes it; it will continue from its cursor.

        :raises RunLostError: the run was taken over or ended.
        """

    @abstractmethod
    def request_cancel(self, run_id: int, now: datetime) -> bool:
        """Ask for the end of a run; one that nobody works on ends at once. False if it had ended already."""

    @abstractmethod
    def request_pause(self, run_id: int) -> bool:
        """Ask a run to rest; one that nobody works on rests at once. False if it had ended or rests already."""

    @abstractmethod
    def resume(self, run_id: int) -> bool:
        """Queue a paused run again, and take back a request to pause. False if there was nothing to resume."""
