"""A task that has more to do and lets others go first."""

import structlog
from celery import Task

_log = structlog.get_logger(__name__)


def send_again(task: Task) -> None:
    """Put a task without arguments at the end of its queue; if the broker is away, its sweep on beat does as well."""
    try:
        task.apply_async(retry=False, ignore_result=True)
    except Exception as error:  # noqa: BLE001  # whatever a broker's client raises
        _log.warning("broker_unreachable", task=task.name, error=f"{type(error).__name__}: {error}")
