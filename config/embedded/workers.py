"""Worker lanes and beat as threads of this process."""

import threading
from typing import Any

from celery import Celery
from celery.beat import EmbeddedService
from celery.bootsteps import StartStopStep

# Few: they share one interpreter, and on SQLite one writer.
THREADS_BY_LANE = {"ingest": 2, "project": 2, "bulk": 1}


class OwnQueueOnly(StartStopStep):  # type: ignore[misc]
    """Leave a lane's worker its own queue alone.

    Which queues a worker takes from is a state of the Celery app, which all lanes of this process share.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, consumer: Any) -> None:
        """Drop the other lanes' queues, before the first message is taken."""
        own = consumer.hostname.partition("@")[0]
        for queue in list(consumer.task_consumer.queues):
            if queue.name != own:
                consumer.task_consumer.cancel_by_queue(queue.name)


class Lane:
    """A worker that takes tasks of one queue, so that a full lane never holds up another."""

    def __init__(self, app: Celery, queue: str) -> None:
        self.name = queue
        app.steps["consumer"].add(OwnQueueOnly)
        self._worker = app.WorkController(
            app=app,
            hostname=f"{queue}@embedded",
            pool="threads",
            concurrency=THREADS_BY_LANE[queue],
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )
        self._thread = threading.Thread(target=self._worker.start, name=f"lane-{queue}", daemon=True)

    def start(self) -> None:
        """Begin to take tasks."""
        self._thread.start()

    def is_alive(self) -> bool:
        """Say whether tasks are taken."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Take no more tasks, and return when those under way are done."""
        self._worker.stop()
        self._thread.join()


class Beat:
    """The clock that starts the sweeps."""

    name = "beat"

    def __init__(self, app: Celery) -> None:
        self._service = EmbeddedService(
            app,
            thread=True,
            scheduler_cls=app.conf.beat_scheduler,
            max_interval=app.conf.beat_max_loop_interval,
        )

    def start(self) -> None:
        """Begin to tick."""
        self._service.start()

    def is_alive(self) -> bool:
        """Say whether it ticks."""
        return bool(self._service.is_alive())

    def stop(self) -> None:
        """Tick no more."""
        self._service.stop()
