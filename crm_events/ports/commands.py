"""The commands of the service; queries are another service."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from crm_events.domain.identifiers import StreamKey
from crm_events.ports.event_store import HistoryPage, HistoryQuery


@dataclass(frozen=True, slots=True)
class AcceptEvents:
    """Store one HTTP request of events. ``key_name`` says whose key sent it."""

    body: bytes
    key_name: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A stored delivery: its id and how many items it holds."""

    id: str
    received: int


@dataclass(frozen=True, slots=True)
class ProcessEvents:
    """Bring accepted deliveries into the log, at most ``limit`` of them in this call.

    ``failed_first`` takes one that failed before, if its time has come, in place of new ones.
    """

    limit: int = 200
    failed_first: bool = False


@dataclass(frozen=True, slots=True)
class Processed:
    """What a call of ``ProcessEvents`` did: deliveries finished, streams that have new events."""

    deliveries: int
    streams: Sequence[StreamKey]


@dataclass(frozen=True, slots=True)
class StartReplay:
    """Project streams again: one, all of an entity (``target`` is its Salesforce object), or everything (empty).

    Silent unless ``broadcast``; then every document is sent, marked with the run.
    """

    target: str
    started_by: str
    reason: str = ""
    broadcast: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class StartBackfill:
    """Bring the rows of a Salesforce object into the log; ``parameters`` as ``BackfillOptions`` writes them."""

    entity_name: str
    parameters: Mapping[str, Any]
    started_by: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StartRun:
    """Queue a run of a kind that somebody works (``replay``, ``rebuild``, ``check-ids`` ...)."""

    kind: str
    target: str
    parameters: Mapping[str, Any]
    started_by: str
    reason: str = ""


class Steering(StrEnum):
    """What can be asked of a run."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class SteerRun:
    """Ask a run to pause, to go on, or to end."""

    run_id: int
    steering: Steering
    asked_by: str
    reason: str = ""


class CrmCommandService(ABC):
    """Everything that changes the log, and the log's own record of a stream."""

    @abstractmethod
    def accept_events(self, command: AcceptEvents, now: datetime) -> Accepted:
        """Store a delivery; when this returns it survives any crash.

        :raises BodyError: the body is no JSON object or array; nothing was stored.
        :raises django.db.OperationalError: the database is down; nothing was stored.
        """

    @abstractmethod
    def process_events(self, command: ProcessEvents, now: datetime) -> Processed:
        """Claim accepted deliveries, parse them, and append their events."""

    @abstractmethod
    def record_events(self, query: HistoryQuery) -> HistoryPage:
        """Return a page of one record's raw events."""

    @abstractmethod
    def start_replay(self, command: StartReplay, now: datetime) -> int:
        """Queue a replay and return the run's id."""

    @abstractmethod
    def start_backfill(self, command: StartBackfill, now: datetime) -> int:
        """Queue a backfill and return the run's id."""

    @abstractmethod
    def start_run(self, command: StartRun, now: datetime) -> int:
        """Queue a run and return its id."""

    @abstractmethod
    def steer_run(self, command: SteerRun, now: datetime) -> bool:
        """Ask something of a run; ``False`` if it has ended, or is so already.

        :raises UnknownRunError: there is no such run.
        """
