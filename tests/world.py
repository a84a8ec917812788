"""The whole read side in memory, with the log it reads: what tests of projector, rebuild and replay work on."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from crm_events.adapters.memory import MemoryEventStore
from crm_events.domain.events import NewEvent
from crm_events.domain.heads import Head
from crm_events.domain.identifiers import StreamKey
from crm_events.services.appending import append_events
from crm_mappings.registry import mapping_for_source
from crm_projections.adapters.memory import MemoryBroadcaster, MemoryReadModel
from crm_projections.services.projector import Projected, Projector, ProjectorPorts
from tests.builders import a_stream
from tests.fakes import MemoryDeadLetters

NOW = datetime(2026, 10, 6, 7, 20, 9, 123456, tzinfo=UTC)


@dataclass
class World:
    store: MemoryEventStore = field(default_factory=MemoryEventStore)
    read_model: MemoryReadModel = field(default_factory=MemoryReadModel)
    broadcaster: MemoryBroadcaster = field(default_factory=MemoryBroadcaster)
    dead_letters: MemoryDeadLetters = field(default_factory=MemoryDeadLetters)
    saved_state_every: int = 1_000

    @property
    def ports(self) -> ProjectorPorts:
        return ProjectorPorts(self.store, self.read_model, self.broadcaster, self.dead_letters, mapping_for_source)

    @property
    def projector(self) -> Projector:
        return Projector(self.ports, self.saved_state_every)

    def record(self, *events: NewEvent) -> None:
        append_events(self.store, events, NOW)

    def project(self, *streams: StreamKey) -> Projected:
        return self.projector.project(streams or [a_stream()], NOW)

    def happen(self, *events: NewEvent) -> Projected:
        """Record events and project their streams."""
        self.record(*events)
        return self.project(*{event.stream for event in events})

    def head(self, stream: StreamKey | None = None) -> Head:
        stream = stream or a_stream()
        return self.store.heads([stream])[stream]

    def document(self, stream: StreamKey | None = None, entity: str = "client") -> dict[str, Any] | None:
        stream = stream or a_stream()
        stored = self.read_model.get_many(entity, [stream.entity_id]).get(stream.entity_id)
        return stored.decode() if stored else None

    def documents(self, entities: Iterable[str] = ("client", "contact", "deal")) -> dict[str, Any]:
        """Return all documents without the times at which they were made."""
        found: dict[str, Any] = {}
        for entity in entities:
            for generation in self.read_model.generations(entity):
                for page in self.read_model.scan(entity, generation.number):
                    for stored in page:
                        document = stored.decode()
                        document["_meta"].pop("projected_at")
                        found[f"{entity}/{generation.number}/{stored.id}"] = document
        return found

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [dict(message.detail) for message in self.broadcaster.messages]
