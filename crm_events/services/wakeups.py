"""Wake-ups for the lanes: a message that may be lost, because a sweep finds whatever nobody finished."""

from collections.abc import Iterator, Sequence

from crm_events.domain.identifiers import StreamKey
from crm_events.running.sending import sender

_STREAMS_PER_TASK = 500


def wake_ingest() -> None:
    """Ask the ingest lane to look into the inbox."""
    sender.send("crm_events.tasks.process_deliveries", [])


def wake_projector(streams: Sequence[StreamKey], lane: str | None = None) -> None:
    """Ask the projector to look at streams that have new events, in its own lane or another one."""
    for part in _parts(streams):
        sender.send("crm_projections.tasks.project", [[str(stream) for stream in part]], lane)


def wake_projector_in_bulk(streams: Sequence[StreamKey]) -> None:
    """Ask the projector to look at streams that bulk work wrote, behind which no live change shall wait."""
    wake_projector(streams, "bulk")


def wake_runs() -> None:
    """Ask the bulk lane to look for queued runs of either side."""
    sender.send("crm_projections.tasks.sweep_runs", [])
    sender.send("crm_events.tasks.sweep_runs", [])


def _parts(streams: Sequence[StreamKey]) -> Iterator[Sequence[StreamKey]]:
    for start in range(0, len(streams), _STREAMS_PER_TASK):
        yield streams[start : start + _STREAMS_PER_TASK]
