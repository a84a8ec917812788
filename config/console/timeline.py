"""One event of a record as an operator reads it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from config.console.rows import moment
from config.templatetags.console import duration
from crm_events.admin.states import State
from crm_events.cdc import Change, RawEventError, read_change, read_snapshot
from crm_events.cdc.json_text import decode_exact
from crm_events.cdc.wire import open_envelope
from crm_events.domain.events import EventSource, EventType, StoredEvent

_SHOWN_FIELDS = 8
_LONGEST_VALUE = 120
_KINDS = {
    EventType.CREATE: ("Create", "add"),
    EventType.UPDATE: ("Update", "edit"),
    EventType.DELETE: ("Delete", "delete"),
    EventType.UNDELETE: ("Undelete", "restore_from_trash"),
    EventType.GAP_CREATE: ("Gap, create", "help"),
    EventType.GAP_UPDATE: ("Gap, update", "help"),
    EventType.GAP_DELETE: ("Gap, delete", "help"),
    EventType.GAP_UNDELETE: ("Gap, undelete", "help"),
    EventType.SNAPSHOT: ("Snapshot", "photo_camera"),
}
_SOURCES = {
    EventSource.CDC: "live feed",
    EventSource.BACKFILL: "backfill",
    EventSource.GAP_REPAIR: "gap repair",
    EventSource.RECONCILIATION: "reconciliation",
}


class FieldChange(NamedTuple):
    """A field that an event names, and the value it brings."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One event on the timeline."""

    title: str
    icon: str
    tone: str
    version: int
    source: str
    who: str
    origin: str
    committed_ms: int
    committed_at: datetime | None
    recorded_at: datetime
    delay: str
    late: State | None
    fields: Sequence[FieldChange]
    more_fields: int
    sentence: str
    delivery_id: str


def entry_of(stored: StoredEvent) -> Entry:
    """Return an event in words; one whose text nobody can read any more says so."""
    event = stored.event
    title, icon = _KINDS[event.event_type]
    fields, sentence = _content(stored)
    header = _header(event.raw)
    committed_at = moment(event.order_key.commit_timestamp)
    wait = (stored.recorded_at - committed_at).total_seconds() if committed_at else 0.0
    return Entry(
        title=title,
        icon=icon,
        tone="late" if stored.late else "warn" if event.event_type.is_gap else "idle",
        version=stored.version,
        source=_SOURCES[event.source],
        who=_text(header.get("commitUser")),
        origin=origin_words(_text(header.get("changeOrigin"))),
        committed_ms=event.order_key.commit_timestamp,
        committed_at=committed_at,
        recorded_at=stored.recorded_at,
        delay=duration(wait),
        late=State("late", "history", f"{duration(wait)} late") if stored.late else None,
        fields=fields[:_SHOWN_FIELDS],
        more_fields=max(0, len(fields) - _SHOWN_FIELDS),
        sentence=sentence,
        delivery_id=event.delivery_id if event.source is EventSource.CDC else "",
    )


def _content(stored: StoredEvent) -> tuple[list[FieldChange], str]:
    event = stored.event
    if event.event_type.is_gap:
        return [], "Salesforce said that something changed but sent no values."
    try:
        if event.event_type is EventType.SNAPSHOT:
            row = read_snapshot(event.raw).row
            return [], f"Read from Salesforce: {len(row)} fields of the row."
        change = read_change(event.raw) if event.source is EventSource.CDC else None
    except RawEventError as error:
        return [], f"{error} Next: download the raw event and tell the developers."
    if event.event_type is EventType.UPDATE and change:
        return [FieldChange(name, _value(change, name)) for name in change.changed], ""
    if event.event_type is EventType.DELETE:
        return [], "The record was deleted; its last values stay as a tombstone."
    return [], f"The whole record came: {len(change.body) if change else 0} fields have a value."


def _value(change: Change, name: str) -> Any:
    parent, _, child = name.partition(".")
    value = change.body.get(parent)
    if child and isinstance(value, Mapping):
        value = value.get(child)
    if isinstance(value, Mapping):
        return "sent as a difference" if "diff" in value else ", ".join(str(each) for each in value.values() if each)
    text = value if not isinstance(value, str) else value[:_LONGEST_VALUE]
    return f"{text}…" if isinstance(value, str) and len(value) > _LONGEST_VALUE else text


def _header(raw: str) -> Mapping[str, Any]:
    try:
        envelope = open_envelope(decode_exact(raw))
    except ValueError:
        return {}
    return envelope.header if envelope else {}


def origin_words(origin: str) -> str:
    """Return where a change was made, as far as ``changeOrigin`` says (cdc_event_fields_header).

    ``com/salesforce/api/soap/66.0;client=SfdcInternalAPI/`` is a person at a Salesforce screen.
    """
    path, _, client = origin.partition(";client=")
    client = client.strip("/")
    if client == "SfdcInternalAPI":
        return "Salesforce screen"
    parts = path.split("/")
    kind = _APIS.get(parts[_API_PLACE], parts[_API_PLACE]) if len(parts) > _API_PLACE else path
    return ", ".join(part for part in (kind, client) if part)


_API_PLACE = 3
_APIS = {"soap": "SOAP API", "rest": "REST API", "bulkapi": "Bulk API", "apex": "Apex"}


def _text(value: Any) -> str:
    return value[:_LONGEST_VALUE] if isinstance(value, str) else ""
