"""What of a record is told to others: whether it has a document, and whether a change of it is broadcast."""

from crm_events.cdc import read_snapshot
from crm_events.domain.events import EventSource, EventType, StoredEvent
from crm_events.record import RecordState


def is_silent(event: StoredEvent) -> bool:
    """Say whether the event is not to be broadcast: a backfill is silent unless it was asked to speak."""
    if event.event.source is not EventSource.BACKFILL or event.event.event_type is not EventType.SNAPSHOT:
        return False
    return not read_snapshot(event.event.raw).broadcast


def has_document(state: RecordState) -> bool:
    """Say whether anything but the existence of the record is known; GAP events alone tell nothing."""
    return bool(state.fields) or state.is_deleted or state.system_modified_ms is not None
