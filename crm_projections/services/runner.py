"""How runs of the read side are worked: claimed, advanced page by page, and ended with a word for people."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog

from crm_events.domain.errors import CrmError
from crm_events.ports.event_store import EventStoreUnavailableError
from crm_events.ports.runs import RunLostError, RunProgress, Runs, RunStatus, RunView
from crm_projections.ports.broadcaster import BroadcasterUnavailableError
from crm_projections.ports.read_model import ReadModelUnavailableError

_log = structlog.get_logger(__name__)
_OUTAGES = (EventStoreUnavailableError, ReadModelUnavailableError, BroadcasterUnavailableError)
Clock = Callable[[], datetime]


class RunFailedError(CrmError):
    """The run cannot go on; its text tells an operator what is so and what to do next."""


class RunCancelledError(CrmError):
    """Somebody asked for the end of the run."""


def system_clock() -> datetime:
    """Return the present time; the one clock of this module, handed in by entry points."""
    return datetime.now(UTC)


@dataclass(slots=True)
class RunSession:
    """A claimed run while it is worked on: what was done so far, written together with the heartbeat."""

    runs: Runs
    run: RunView
    clock: Clock
    on_progress: Callable[[RunView], None]
    counts: dict[str, int] = field(default_factory=dict)
    cursor: Any = None

    def __post_init__(self) -> None:
        self.counts = dict(self.run.counts)
        self.cursor = self.run.cursor

    @property
    def now(self) -> datetime:
        """Return the present time."""
        return self.clock()

    def count(self, name: str, number: int = 1) -> None:
        """Add to one of the run's counts."""
        self.counts[name] = self.counts.get(name, 0) + number

    def heartbeat(self, *log: str) -> None:
        """Say that somebody still works, without moving the cursor; counts wait for the cursor they belong to.

        :raises RunLostError: somebody took the run over.
        :raises RunCancelledError: somebody asked for its end.
        """
        self._advance(RunProgress(self.run.cursor, self.run.counts, log=log))

    def save(self, *log: str, total: int | None = None) -> None:
        """Write cursor and counts, and stop if that is asked for.

        :raises RunLostError: somebody took the run over.
        :raises RunCancelledError: somebody asked for its end.
        """
        self._advance(RunProgress(self.cursor, dict(self.counts), total, log))

    def _advance(self, progress: RunProgress) -> None:
        self.run = self.runs.advance(self.run, progress, self.now)
        self.on_progress(self.run)
        if self.run.cancel_requested:
            raise RunCancelledError(self.run.id)


class RunWorker(Protocol):
    """The work of one kind of run; continues from the session's cursor."""

    def work(self, session: RunSession) -> None:
        """Do the work to its end, saving the session after every page."""


class Runner:
    """Work runs of the kinds it knows."""

    def __init__(self, runs: Runs, workers: Mapping[str, RunWorker], clock: Clock = system_clock) -> None:
        self._runs = runs
        self._workers = workers
        self._clock = clock

    def sweep(self) -> int:
        """Work every run that waits or whose worker died, one after the other; return how many were ended."""
        ended = 0
        for run_id in self._runs.claimable(list(self._workers), self._clock()):
            run = self._runs.claim(run_id, self._clock())
            if run is not None:
                ended += self.work(run).status in (RunStatus.DONE, RunStatus.FAILED, RunStatus.CANCELLED)
        return ended

    def work(self, run: RunView, on_progress: Callable[[RunView], None] = lambda _: None) -> RunView:
        """Work a claimed run to its end and return it.

        Engines that are down leave the run claimed; when its heartbeat is old the sweep continues it. An interrupt
        from the keyboard pauses it.

        :raises EventStoreUnavailableError: the log is down.
        :raises ReadModelUnavailableError: the read model is down.
        :raises BroadcasterUnavailableError: the broadcast is down.
        """
        session = RunSession(self._runs, run, self._clock, on_progress)
        try:
            self._workers[run.kind].work(session)
        except RunLostError:
            _log.warning("run_lost", run=run.id)
            return self._runs.get(run.id)
        except RunCancelledError:
            return self._runs.finish(session.run, RunStatus.CANCELLED, self._clock())
        except RunFailedError as error:
            return self._runs.finish(session.run, RunStatus.FAILED, self._clock(), str(error))
        except _OUTAGES:
            raise
        except KeyboardInterrupt:
            self._runs.pause(session.run, self._clock())
            raise
        except Exception as error:  # noqa: BLE001  # the row must say how its run ended, whatever happened
            _log.exception("run_failed", run=run.id)
            words = f"{type(error).__name__}: {error}. Next: have the cause mended, then start it again."
            return self._runs.finish(session.run, RunStatus.FAILED, self._clock(), words)
        return self._runs.finish(session.run, RunStatus.DONE, self._clock())
