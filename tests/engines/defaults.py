"""The adapters of tests that name none: those of the embedded service, or those of production on engines that run."""

from typing import TYPE_CHECKING, Any

from tests.engines.choice import ON_ENGINES

if TYPE_CHECKING or not ON_ENGINES:
    from crm_events.adapters.sql.event_store import SQLEventStore as DefaultEventStore
    from crm_projections.adapters.sql.outbox import OutboxBroadcaster as DefaultBroadcaster
    from crm_projections.adapters.sql.read_model import SQLReadModel as DefaultReadModel
else:
    from tests.engines.production import PooledBroadcaster as DefaultBroadcaster
    from tests.engines.production import PooledEventStore as DefaultEventStore
    from tests.engines.production import PooledReadModel as DefaultReadModel

__all__ = ["DefaultBroadcaster", "DefaultEventStore", "DefaultReadModel", "sent_messages"]


def sent_messages() -> list[dict[str, Any]]:
    """Return the details of the messages that the default broadcaster sent in this test, each once, oldest first."""
    if ON_ENGINES:
        from tests.engines.production import POOL  # noqa: PLC0415  # reads the engines' adapters

        return POOL.sent()
    return [dict(logged.detail) for logged in reversed(DefaultBroadcaster().recent(1_000))]
