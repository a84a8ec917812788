"""A Salesforce in memory behind the service's own settings."""

from datetime import UTC, datetime

from crm_events.backends import event_store
from crm_projections.entry import projector


def at_once() -> None:
    """Let the projector do what waits."""
    projector().sweep(1_000, datetime.max.replace(tzinfo=UTC), datetime.now(UTC))
    assert not event_store().pending_streams(1)
