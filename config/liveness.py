"""How worker and beat show that they go round: by touching a file, whose age ``config/alive.py`` looks at."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from celery import Celery
from celery.bootsteps import StartStopStep
from django.conf import settings

from config.alive import EVERY, STALE_AFTER, folder


class Sign:
    """The file of one process."""

    def __init__(self, name: str, data_dir: Path) -> None:
        self._file = folder(data_dir) / name

    def give(self) -> None:
        """Say that the process goes round."""
        self._file.parent.mkdir(exist_ok=True)
        self._file.touch()

    def withdraw(self) -> None:
        """Say that it ended."""
        self._file.unlink(missing_ok=True)


class Rounds:
    """What is known of a worker's main loop: when it last went round, and whether it has a broker to ask at all.

    ``clock`` returns seconds from any beginning.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._is_consuming = False
        self._last = 0.0

    def went_round(self) -> None:
        """Note that the loop works."""
        self._is_consuming = True
        self._last = self._clock()

    def waits_for_broker(self) -> None:
        """Note that the loop is left, until the broker is there again; a restart would help nothing."""
        self._is_consuming = False

    @property
    def are_well(self) -> bool:
        """Say whether nothing hangs."""
        return not self._is_consuming or self._clock() - self._last < STALE_AFTER


_rounds = Rounds()


class LoopWatch(StartStopStep):  # type: ignore[misc]
    """Part of the consumer: notes each time its timer comes round."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def include_if(self, consumer: Any) -> bool:  # noqa: ARG002  # a step's signature
        """Stay away where the worker is a thread of the web process."""
        return not settings.BROKER_IS_EMBEDDED

    def start(self, consumer: Any) -> None:
        """Begin with the connection."""
        _rounds.went_round()
        self._timer = consumer.timer.call_repeatedly(EVERY, _rounds.went_round)

    def stop(self, consumer: Any) -> None:  # noqa: ARG002  # a step's signature
        """End with it."""
        self._timer.cancel()
        _rounds.waits_for_broker()


class SignGiver(StartStopStep):  # type: ignore[misc]
    """Part of the worker: gives the sign as long as the loop is well."""

    requires = ("celery.worker.components:Pool",)  # after the first fork: a thread does not survive one

    def include_if(self, worker: Any) -> bool:  # noqa: ARG002  # a step's signature
        """Stay away where the worker is a thread of the web process."""
        return not settings.BROKER_IS_EMBEDDED

    def start(self, worker: Any) -> None:
        """Begin when the pool is there."""
        self._sign = Sign(worker.hostname, settings.DATA_DIR)
        self._ended = threading.Event()
        self._sign.give()
        threading.Thread(target=self._run, name="liveness", daemon=True).start()

    def stop(self, worker: Any) -> None:  # noqa: ARG002  # a step's signature
        """End in good order."""
        self._ended.set()
        self._sign.withdraw()

    terminate = stop

    def _run(self) -> None:
        while not self._ended.wait(EVERY):
            if _rounds.are_well:
                self._sign.give()


def watch_workers(app: Celery) -> None:
    """Let workers of their own processes show that they live."""
    app.steps["consumer"].add(LoopWatch)
    app.steps["worker"].add(SignGiver)
