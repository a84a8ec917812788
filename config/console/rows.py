"""Records as a list shows them: the head from the event store, the name from the read model."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from crm_events.admin.states import (
    CURRENT,
    DELETED,
    INCOMPLETE,
    ISSUE,
    NO_MAPPING,
    OLDER_MAPPING,
    State,
    record_states,
)
from crm_events.domain.heads import Head
from crm_events.domain.identifiers import StreamKey
from crm_events.domain.order import OrderKey
from crm_mappings.mapping import EntityMapping
from crm_mappings.registry import mapping_for_source
from crm_projections.backends import read_model
from crm_projections.ports.read_model import StoredDocument

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One record in a list."""

    stream: StreamKey
    name: str
    entity: str
    version: int
    states: Sequence[State]
    changed_at: datetime | None
    pending_since: datetime | None


def record_rows(heads: Sequence[Head]) -> list[RecordRow]:
    """Return the rows of heads, in their order, with one call of the read model for each entity.

    :raises ReadModelUnavailableError: the read model does not answer.
    """
    by_object: dict[str, list[str]] = defaultdict(list)
    for head in heads:
        by_object[head.stream.entity_name].append(head.stream.entity_id)
    documents: dict[StreamKey, StoredDocument] = {}
    for name, ids in by_object.items():
        if mapping := mapping_for_source(name):
            found = read_model().get_many(mapping.entity, ids)
            documents.update({StreamKey(name, each): document for each, document in found.items()})
    return [bare_row(head, documents.get(head.stream)) for head in heads]


def bare_row(head: Head, document: StoredDocument | None = None) -> RecordRow:
    """Return the row of one head, with what its document says, if it is known."""
    mapping = mapping_for_source(head.stream.entity_name)
    values = document.decode() if document else {}
    return RecordRow(
        head.stream,
        name_of(mapping, values) if mapping else "",
        mapping.entity if mapping else "",
        head.version,
        all_states(head, mapping, values),
        changed_at(head),
        head.pending_since,
    )


def all_states(head: Head, mapping: EntityMapping | None, values: Mapping[str, Any]) -> list[State]:
    """Return what head and document say together; current is only what has no trouble at all."""
    states = [state for state in record_states(head) if state != CURRENT]
    states += document_states(mapping, values) if mapping else [NO_MAPPING]
    return states or [CURRENT]


def document_states(mapping: EntityMapping, values: Mapping[str, Any]) -> list[State]:
    """Return what is to be said of a document; nothing of a record that has none."""
    if not values:
        return []
    meta = values.get("_meta", {})
    flags = [
        (not meta.get("complete"), INCOMPLETE),
        (bool(meta.get("issues")), ISSUE),
        (meta.get("mapping") != mapping.fingerprint, OLDER_MAPPING),
        (bool(values.get("is_deleted")), DELETED),
    ]
    return [state for holds, state in flags if holds]


def name_of(mapping: EntityMapping, values: Mapping[str, Any]) -> str:
    """Return what people call the record: its name, else the first name-like field that has a value."""
    for field in ("name", *mapping.schema.name_like):
        if value := values.get(field):
            return str(value)
    return ""


def changed_at(head: Head) -> datetime | None:
    """Return the commit time of the newest event of a stream."""
    try:
        return moment(OrderKey.parse(head.newest_position.partition("#")[0]).commit_timestamp)
    except ValueError:
        return None


def moment(milliseconds: int) -> datetime | None:
    """Return a time of Salesforce, or ``None`` where it lies beyond the calendar."""
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None
