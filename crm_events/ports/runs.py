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
    """A run as its row says."""

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


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run has come; written together, so a takeover continues where the counts say."""

    cursor: Any
    counts: Mapping[str, int]
    total: int | None = None
    log: Sequence[str] = field(default_factory=tuple)


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
    def find_unfinished(self, kind: str, target: str) -> RunView | None:
        """Return the newest run of this kind and target that has not ended."""

    @abstractmethod
    def claimable(self, kinds: Sequence[str], now: datetime) -> list[int]:
        """Return ids of runs that wait or whose heartbeat stopped, oldest first."""

    @abstractmethod
    def claim(self, run_id: int, now: datetime, *, resume: bool = False) -> RunView | None:
        """Take a waiting or stale run; ``None`` if somebody has it or it ended. ``resume`` takes a paused one too."""

    @abstractmethod
    def advance(self, run: RunView, progress: RunProgress, now: datetime) -> RunView:
        """Write progress and heartbeat; the answer says whether cancelling was asked for.

        :raises RunLostError: the run was taken over or ended.
        """

    @abstractmethod
    def finish(self, run: RunView, status: RunStatus, now: datetime, error: str = "") -> RunView:
        """End a claimed run.

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
