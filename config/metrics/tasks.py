"""Durations of background tasks, by name."""

import time
from typing import Any

from celery import Task
from celery.signals import task_postrun, task_prerun

from config.metrics.instruments import task_seconds

_STARTED = "_crm_started"


def _start(task: Task, **_: Any) -> None:
    setattr(task.request, _STARTED, time.perf_counter())


def _observe(task: Task, state: str | None = None, **_: Any) -> None:
    started = getattr(task.request, _STARTED, None)
    if started is not None:
        task_seconds.labels(task.name, (state or "unknown").lower()).observe(time.perf_counter() - started)


def observe_tasks() -> None:
    """Begin to observe; calling it again changes nothing."""
    task_prerun.connect(_start, dispatch_uid="crm-metrics")
    task_postrun.connect(_observe, dispatch_uid="crm-metrics")
