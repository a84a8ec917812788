"""What this process measures, or all its siblings where ``PROMETHEUS_MULTIPROC_DIR`` names a folder they share."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import prometheus_client
from prometheus_client import CollectorRegistry, Histogram, Metric, disable_created_metrics, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

_FOLDER = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")


def _name_of(pid: int) -> str:
    # Containers that share the folder all begin to number their processes at 1.
    return f"{socket.gethostname()}-{pid}"


if _FOLDER:
    Path(_FOLDER).mkdir(parents=True, exist_ok=True)
    values.ValueClass = values.MultiProcessValue(lambda: _name_of(os.getpid()))
disable_created_metrics()
REGISTRY = CollectorRegistry()
_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_TASK_SECONDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)

request_seconds = Histogram(
    "crm_request_duration_seconds",
    "Time from a request to its answer.",
    ["method", "route", "status"],
    registry=REGISTRY,
    buckets=_REQUEST_SECONDS,
)
task_seconds = Histogram(
    "crm_task_duration_seconds",
    "Time a background task ran.",
    ["task", "state"],
    registry=REGISTRY,
    buckets=_TASK_SECONDS,
)


class _AdapterCollector(Collector):
    """What adapters count: they cannot know this module, so they use the library's own registry."""

    def collect(self) -> Iterator[Metric]:
        for metric in prometheus_client.REGISTRY.collect():
            if metric.name.startswith("crm_"):
                yield metric


REGISTRY.register(_AdapterCollector())


def durations_registry() -> CollectorRegistry:
    """Return the registry to read durations, and what adapters count, from."""
    if not _FOLDER:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return registry


def forget_process(pid: int) -> None:
    """Forget what a process that is gone said of its present state; what it counted stays counted."""
    if _FOLDER:
        mark_process_dead(_name_of(pid))
