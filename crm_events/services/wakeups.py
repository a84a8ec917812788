"""Wake-ups for the lanes: a message that may be lost, because a sweep finds whatever nobody finished."""

from collections.abc import Iterator, Sequence
from typing import Any

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

from crm_events.domain.identifiers import StreamKey

_STREAMS_PER_TASK = 500
_log = structlog.get_logger(__name__)


def wake_ingest() -> None:
    """Ask the ingest lane to look into the inbox."""
    _send("crm_events.tasks.process_deliveries", [])


def wake_projector(streams: Sequence[StreamKey], lane: str | None = None) -> None:
    """Ask the projector to look at streams that have new events, in its own lane or another one."""
    for part in _parts(streams):
        _send("crm_projections.tasks.project", [[str(stream) for stream in part]], lane)


def wake_projector_in_bulk(streams: Sequence[StreamKey]) -> None:
    """Ask the projector to look at streams that bulk work wrote, behind which no live change shall wait."""
    wake_projector(streams, "bulk")


def wake_runs() -> None:
    """Ask the bulk lane to look for queued runs of either side."""
    _send("crm_projections.tasks.sweep_runs", [])
    _send("crm_events.tasks.sweep_runs", [])


def _parts(streams: Sequence[StreamKey]) -> Iterator[Sequence[StreamKey]]:
    for start in range(0, len(streams), _STREAMS_PER_TASK):
        yield streams[start : start + _STREAMS_PER_TASK]


def _send(task: str, arguments: list[Any], lane: str | None = None) -> None:
    try:
        # No retries here: the sender is answering a request, and the sweep is the retry.
        current_app.send_task(
            task, args=arguments, retry=False, ignore_result=True, **({"queue": lane} if lane else {})
        )
    except OperationalError as error:
        _log.warning("broker_unreachable", task=task, error=str(error))
