"""Deliver events and bring them into the log, with the adapters that the settings name."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from crm_events.domain.events import StoredEvent
from crm_events.domain.identifiers import StreamKey
from crm_events.domain.outcomes import Outcome
from crm_events.models import DeadLetter, Delivery
from crm_events.ports.event_store import EventStore, ReadRequest
from crm_events.services import inbox
from crm_events.services.dead_letters import OperationalDeadLetters
from crm_events.services.processing import DeliveryProcessor
from tests.builders import a_body, a_stream
from tests.engines.defaults import DefaultEventStore

NOW = datetime(2026, 10, 6, 7, 20, 9, 123456, tzinfo=UTC)


def deliver(*changes: dict[str, Any], now: datetime = NOW) -> str:
    """Accept a request with these changes and return the delivery's id."""
    return inbox.accept(a_body(*changes), "a sender", now).id


def a_processor(
    store: EventStore | None = None, allowed_orgs: Collection[str] = (), max_attempts: int = 5
) -> DeliveryProcessor:
    return DeliveryProcessor(store or DefaultEventStore(), OperationalDeadLetters(), allowed_orgs, max_attempts)


def process(processor: DeliveryProcessor | None = None, now: datetime = NOW, limit: int = 200) -> list[StreamKey]:
    """Claim what is free and process it once."""
    return (processor or a_processor()).process(inbox.claim(limit, now), now)


def delivered(*changes: dict[str, Any], now: datetime = NOW) -> list[Outcome]:
    """Deliver and process changes, and return what became of them."""
    delivery = deliver(*changes, now=now)
    process(now=now)
    return outcomes(delivery)


def outcomes(delivery_id: str) -> list[Outcome]:
    return [Outcome(*outcome) for outcome in Delivery.objects.get(pk=delivery_id).outcomes]


def names(found: Sequence[Outcome]) -> list[str]:
    return [outcome.outcome for outcome in found]


def log_of(stream: StreamKey | None = None) -> list[StoredEvent]:
    """Return the events of a stream in fold order."""
    stream = stream or a_stream()
    return DefaultEventStore().read([ReadRequest(stream)])[stream]


def letters() -> list[DeadLetter]:
    return list(DeadLetter.objects.order_by("delivery_id", "delivery_index", "record"))
