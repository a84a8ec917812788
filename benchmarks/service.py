"""The service as the benchmarks drive it: the real services on the real database, without HTTP and broker."""

from collections.abc import Sequence
from datetime import UTC, datetime

from crm_events.backends import event_store
from crm_events.entry import command_service
from crm_events.ports.commands import AcceptEvents, ProcessEvents
from crm_projections.entry import projector

_PROJECT_BATCH = 500


def now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


def accept(body: bytes) -> None:
    """Store one request."""
    command_service().accept_events(AcceptEvents(body, "bench"), now())


def drain() -> None:
    """Do everything that the lanes would do until nothing waits."""
    while (processed := command_service().process_events(ProcessEvents(limit=50), now())).deliveries:
        streams = list(processed.streams)
        for start in range(0, len(streams), _PROJECT_BATCH):
            projector().project(streams[start : start + _PROJECT_BATCH], now())
    pending = event_store().pending_streams(1)
    if pending:
        raise RuntimeError(f"{pending[0].stream} is still pending; the benchmark would measure half the work.")


def deliver_all(bodies: Sequence[bytes]) -> None:
    """Bring requests all the way: accept them one by one, then work them off."""
    for body in bodies:
        accept(body)
    drain()


def deliver(body: bytes) -> None:
    """Bring one request all the way."""
    deliver_all([body])
