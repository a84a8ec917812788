"""A task that has more to do and lets others go first."""

import structlog
from celery import Task
from kombu.exceptions import OperationalError

_log = structlog.get_logger(__name__)


def send_again(task: Task) -> None:
    """Put a task without arguments at the end of its queue; if the broker is away, its sweep on beat does as well."""
    try:
        task.apply_async(retry=False, ignore_result=True)
    except OperationalError as error:
        _log.warning("broker_unreachable", task=task.name, error=str(error))
