"""How runs are worked: claimed, advanced page by page, shared in slices, and ended with a word for people."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import structlog

from crm_events.domain.errors import CrmError, EngineUnavailableError
from crm_events.ports.runs import RunLostError, RunProgress, Runs, RunStatus, RunView

_log = structlog.get_logger(__name__)
_HEARTBEAT_SECONDS = 5.0
Clock = Callable[[], datetime]


class RunFailedError(CrmError):
    """The run cannot go on; its text tells an operator what is so and what to do next."""


class RunCancelledError(CrmError):
    """Somebody asked for the end of the run."""


class RunPausedError(CrmError):
    """Somebody asked the run to rest."""


class RunReleasedError(CrmError):
    """The run goes back into the queue: its slice of time is over, or it has to wait until ``not_before``."""

    def __init__(self, not_before: datetime | None = None) -> None:
        super().__init__(not_before)
        self.not_before = not_before


def system_clock() -> datetime:
    """Return the present time; the one clock of this module, handed in by entry points."""
    return datetime.now(UTC)


@dataclass(slots=True)
class RunSession:
    """A claimed run while it is worked on: what was done so far, written together with the heartbeat.

    ``slice_ends`` is when others shall have their turn; ``None`` for work to the end. ``wait`` waits some seconds, for
    a run that somebody watches and that therefore never goes back into the queue.
    """

    runs: Runs
    run: RunView
    clock: Clock
    on_progress: Callable[[RunView], None]
    slice_ends: datetime | None = None
    wait: Callable[[float], None] | None = None
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
        :raises RunPausedError: somebody asked it to rest.
        """
        self._advance(RunProgress(self.run.cursor, self.run.counts, log=log))

    def save(self, *log: str, total: int | None = None) -> None:
        """Write cursor and counts, and stop if that is asked for, or if it is others' turn.

        :raises RunLostError: somebody took the run over.
        :raises RunCancelledError: somebody asked for its end.
        :raises RunPausedError: somebody asked it to rest.
        :raises RunReleasedError: the slice of time is over.
        """
        self._advance(RunProgress(self.cursor, dict(self.counts), total, log))
        if self.slice_ends is not None and self.now >= self.slice_ends:
            raise RunReleasedError

    def close(self) -> None:
        """Write what was counted since the last save, at the end of the work.

        :raises RunLostError: somebody took the run over.
        """
        self.run = self.runs.advance(self.run, RunProgress(self.cursor, dict(self.counts)), self.now)

    def rest(self, until: datetime, *log: str) -> None:
        """Write cursor and counts, and wait until a time: in the queue, or right here if somebody watches.

        :raises RunReleasedError: the run goes on from its cursor when the time has come.
        """
        self._advance(RunProgress(self.cursor, dict(self.counts), log=log))
        if self.wait is None:
            raise RunReleasedError(until)
        while (seconds := (until - self.now).total_seconds()) > 0:
            self.wait(min(seconds, _HEARTBEAT_SECONDS))
            self.heartbeat()

    def _advance(self, progress: RunProgress) -> None:
        self.run = self.runs.advance(self.run, progress, self.now)
        self.on_progress(self.run)
        if self.run.cancel_requested:
            raise RunCancelledError(self.run.id)
        if self.run.pause_requested:
            raise RunPausedError(self.run.id)


class RunWorker(Protocol):
    """The work of one kind of run; continues from the session's cursor."""

    def work(self, session: RunSession) -> None:
        """Do the work to its end, saving the session after every page."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did: runs ended, and whether runs are left that could go on at once."""

    ended: int
    unfinished: bool


class Runner:
    """Work runs of the kinds it knows."""

    def __init__(self, runs: Runs, workers: Mapping[str, RunWorker], clock: Clock = system_clock) -> None:
        self._runs = runs
        self._workers = workers
        self._clock = clock

    @property
    def kinds(self) -> list[str]:
        """Return the kinds of runs it can work."""
        return list(self._workers)

    def sweep(self, slice_of_time: timedelta | None = None) -> Swept:
        """Work every run that waits or whose worker died, one after the other, each for a slice of time.

        A run whose engine is down does not keep the others from being worked.
        """
        ended, unfinished = 0, False
        for run_id in self._runs.claimable(self.kinds, self._clock()):
            run = self._runs.claim(run_id, self._clock())
            if run is None:
                continue
            try:
                after = self.work(run, slice_of_time=slice_of_time)
            except EngineUnavailableError as error:
                _log.warning("run_interrupted", run=run.id, error=str(error))
                continue
            ended += after.status.has_ended
            unfinished = unfinished or (after.status is RunStatus.QUEUED and after.not_before is None)
        return Swept(ended, unfinished)

    def work(
        self,
        run: RunView,
        on_progress: Callable[[RunView], None] = lambda _: None,
        slice_of_time: timedelta | None = None,
        wait: Callable[[float], None] | None = None,
    ) -> RunView:
        """Work a claimed run to its end, or for a slice of time, and return it; see ``RunSession`` for both.

        Engines that are down leave the run claimed; when its heartbeat is old the sweep continues it. An interrupt
        from the keyboard pauses it.

        :raises EngineUnavailableError: an engine is down.
        """
        ends = self._clock() + slice_of_time if slice_of_time is not None else None
        session = RunSession(self._runs, run, self._clock, on_progress, ends, wait)
        try:
            self._workers[run.kind].work(session)
            session.close()
        except (RunLostError, RunCancelledError, RunPausedError, RunReleasedError) as stop:
            return self._stop(session, stop)
        except RunFailedError as error:
            return self._runs.finish(session.run, RunStatus.FAILED, self._clock(), str(error))
        except EngineUnavailableError:
            raise
        except KeyboardInterrupt:
            self._runs.pause(session.run, self._clock())
            raise
        except Exception as error:  # noqa: BLE001  # the row must say how its run ended, whatever happened
            _log.exception("run_failed", run=run.id)
            words = f"{type(error).__name__}: {error}. Next: have the cause mended, then start it again."
            return self._runs.finish(session.run, RunStatus.FAILED, self._clock(), words)
        return self._runs.finish(session.run, RunStatus.DONE, self._clock())

    def _stop(self, session: RunSession, stop: CrmError) -> RunView:
        if isinstance(stop, RunCancelledError):
            return self._runs.finish(session.run, RunStatus.CANCELLED, self._clock())
        if isinstance(stop, RunPausedError):
            self._runs.pause(session.run, self._clock())
        elif isinstance(stop, RunReleasedError):
            self._runs.release(session.run, self._clock(), stop.not_before)
        else:
            _log.warning("run_lost", run=session.run.id)
        return self._runs.get(session.run.id)
