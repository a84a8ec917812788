"""Parts of the read side with a fault: engines that are down, forget or refuse, and code of ours that fails."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from crm_events.domain.events import StoredEvent
from crm_events.domain.heads import Head
from crm_events.domain.identifiers import StreamKey
from crm_events.folding import FoldBase, FoldedStream, fold_stream
from crm_events.ports.event_store import EventStoreUnavailableError, ReadRequest, StreamPage
from crm_mappings.mapping import EntityMapping
from crm_projections.ports.read_model import Document, Generation, SaveOutcome, SaveResult
from crm_projections.services.documents import document_of
from tests.engines.defaults import DefaultEventStore, DefaultReadModel
from tests.integration.crm_projections.rows import kill


def failing_on(stream: StreamKey) -> Any:
    def fold(head: Head, base: FoldBase, events: Sequence[StoredEvent]) -> FoldedStream:
        if head.stream == stream:
            raise ZeroDivisionError("our mistake")
        return fold_stream(head, base, events)

    return fold


def unmappable(stream: StreamKey) -> Any:
    def document(mapping: EntityMapping, folded: FoldedStream, now: datetime) -> Document | None:
        if folded.head.stream == stream:
            raise ZeroDivisionError("our mistake")
        return document_of(mapping, folded, now)

    return document


def deadly(call: str, when: str) -> DefaultReadModel:
    """Return a read model in which the process dies before or after a call."""
    model = DefaultReadModel()
    original = getattr(model, call)

    def deadly(*arguments: Any) -> Any:
        if when == "after":
            original(*arguments)
        kill()

    setattr(model, call, deadly)
    return model


class DownStore(DefaultEventStore):
    def list_streams(self, entity_name: str, limit: int, cursor: str | None = None) -> StreamPage:
        raise EventStoreUnavailableError


class ForgetfulStore(DefaultEventStore):
    """Has lost the events of one stream."""

    def __init__(self, stream: StreamKey) -> None:
        super().__init__()
        self.stream = stream

    def read(self, requests: Sequence[ReadRequest]) -> dict[StreamKey, list[StoredEvent]]:
        found = super().read(requests)
        return {stream: [] if stream == self.stream else events for stream, events in found.items()}


class PickyModel(DefaultReadModel):
    """Refuses documents of that name, in one generation or in all."""

    def __init__(self, generation: int | None = None) -> None:
        super().__init__()
        self.generation = generation

    def save_many(self, generation: Generation, documents: Sequence[Document]) -> list[SaveResult]:
        refused = {
            document.id
            for document in documents
            if self.generation in (None, generation.number) and document.values["name"] == "Refused AB"
        }
        saved = super().save_many(generation, [document for document in documents if document.id not in refused])
        by_id = {result.id: result for result in saved}
        return [
            by_id.get(document.id, SaveResult(document.id, SaveOutcome.REFUSED, "no such name"))
            for document in documents
        ]
