"""From a folded record to its document: the mapping applied, with where it came from."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm_events.domain.identifiers import StreamKey
from crm_events.folding import FoldedStream
from crm_events.record import RecordState
from crm_mappings.mapping import EntityMapping, MappedEntity, SourceRecord
from crm_projections.ports.read_model import Document
from crm_projections.services.speaking import has_document


@dataclass(frozen=True, slots=True)
class Entity:
    """A normalized entity as consumers see it; two that are equal mean that nothing changed for them."""

    values: dict[str, Any]
    complete: bool


def map_state(mapping: EntityMapping, stream: StreamKey, state: RecordState) -> MappedEntity:
    """Apply a mapping to a folded record."""
    return mapping.apply(
        SourceRecord(
            id=stream.entity_id,
            fields=state.fields,
            is_deleted=state.is_deleted,
            system_modified_ms=state.system_modified_ms,
        )
    )


def entity_of(mapping: EntityMapping, stream: StreamKey, state: RecordState) -> Entity | None:
    """Return the entity of a folded record, or ``None`` while nothing of it is known."""
    if not has_document(state):
        return None
    return Entity(dict(map_state(mapping, stream, state).values), state.complete)


def document_of(mapping: EntityMapping, folded: FoldedStream, now: datetime) -> Document | None:
    """Return the document of a folded stream, or ``None`` while nothing of its record is known."""
    if not has_document(folded.current):
        return None
    mapped = map_state(mapping, folded.head.stream, folded.current)
    return Document(
        id=folded.head.stream.entity_id,
        version=folded.head.version,
        order_key=folded.position.partition("#")[0],
        complete=folded.current.complete,
        mapping=mapping.fingerprint,
        projected_at=now,
        values=mapped.values,
        issues=[{"field": issue.field, "error": issue.error} for issue in mapped.issues],
    )
