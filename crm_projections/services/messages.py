"""The message that tells downstream systems of a changed entity, and when one is due.

Its JSON Schema is ``crm_projections/message_schema.json``.
"""

from datetime import UTC, datetime
from typing import Any

from crm_events.domain.events import StoredEvent
from crm_events.folding import FoldedStream
from crm_mappings.mapping import EntityMapping
from crm_projections.ports.broadcaster import Message
from crm_projections.ports.read_model import Document
from crm_projections.services.documents import Entity, entity_of
from crm_projections.services.speaking import is_silent


def is_due(mapping: EntityMapping, folded: FoldedStream, before: Entity | None, after: Entity) -> bool:
    """Say whether the unpublished events must be heard of downstream.

    A late event always is. Else it is enough that one of them changed the entity on its own: A, B and back to A is two
    changes, even when a crash made us look only once.
    """
    speaking = [step for step in folded.steps if not is_silent(step.event)]
    if any(step.event.late for step in speaking):
        return True
    if speaking and len(speaking) == len(folded.steps) and before != after:
        return True
    stream = folded.head.stream
    return any(entity_of(mapping, stream, step.before) != entity_of(mapping, stream, step.after) for step in speaking)


def change_message(mapping: EntityMapping, folded: FoldedStream, document: Document) -> Message | None:
    """Return the message that the unpublished events of a stream call for, or ``None``."""
    before = entity_of(mapping, folded.head.stream, folded.published)
    after = Entity(dict(document.values), document.complete)
    if not is_due(mapping, folded, before, after):
        return None
    return _message(mapping, folded, document, before, run_id=None)


def replay_message(mapping: EntityMapping, folded: FoldedStream, document: Document, run_id: int) -> Message:
    """Return the message that says once more what is so, marked with the replay's run."""
    before = entity_of(mapping, folded.head.stream, folded.published)
    return _message(mapping, folded, document, before, run_id)


def _message(
    mapping: EntityMapping, folded: FoldedStream, document: Document, before: Entity | None, run_id: int | None
) -> Message:
    stream = folded.head.stream
    newest = folded.newest
    message_id = f"{stream}/{document.version}" + ("" if run_id is None else f"/replay-{run_id}")
    detail: dict[str, Any] = {
        "message_id": message_id,
        "event_id": newest.event.event_id if newest else None,
        "entity_name": stream.entity_name,
        "entity_id": stream.entity_id,
        "event_type": newest.event.event_type.value if newest else None,
        "timestamp": _commit_time(newest) if newest else None,
        "version": document.version,
        "data": {"values": dict(document.values)},
        "entity": mapping.entity,
        "stream": str(stream),
        "order_key": document.order_key,
        "change": _kind_of_change(before, document),
        "changed_fields": _changed_fields(before, document),
        "complete": document.complete,
        "mapping": document.mapping,
        "replay": None if run_id is None else {"run": run_id},
    }
    return Message(message_id, mapping.entity, detail)


def _kind_of_change(before: Entity | None, document: Document) -> str:
    if document.is_deleted:
        return "deleted" if before is None or not before.values["is_deleted"] else "updated"
    if before is None:
        return "created"
    return "restored" if before.values["is_deleted"] else "updated"


def _changed_fields(before: Entity | None, document: Document) -> list[dict[str, Any]]:
    old = before.values if before else {}
    return [
        {"field": name, "before": old.get(name), "after": value}
        for name, value in document.values.items()
        if old.get(name) != value
    ]


def _commit_time(event: StoredEvent) -> str:
    milliseconds = event.event.order_key.commit_timestamp
    seconds, rest = divmod(milliseconds, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"
