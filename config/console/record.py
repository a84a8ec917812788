"""One record: how fresh it is, what is served of it, what happened to it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.http import Http404
from django.urls import reverse

from config.console.documents import projected_at
from config.console.rows import all_states, changed_at, name_of
from config.console.timeline import entry_of
from config.console.walks import steps
from crm_events import selectors
from crm_events.admin.json_view import SHOWN_CHARACTERS, pretty_json
from crm_events.backends import event_store
from crm_events.domain.events import StoredEvent
from crm_events.domain.heads import Head
from crm_events.domain.identifiers import StreamKey
from crm_events.ports.event_store import HistoryOrder, HistoryPage, HistoryQuery, InvalidCursorError
from crm_mappings.mapping import EntityMapping
from crm_mappings.registry import mapping_for_source
from crm_mappings.schema import FieldKind
from crm_projections.backends import read_model
from crm_projections.ports.read_model import ReadModelUnavailableError

_EVENTS_A_PAGE = 25
_NO_READ_MODEL = "The read model does not answer, so the document is not shown. The events are safe."


class FieldRow(NamedTuple):
    """One field of a document: its value, and why it has none if it could not be mapped."""

    name: str
    value: Any
    issue: str
    is_id: bool


def record_context(stream: StreamKey, query: Mapping[str, str]) -> dict[str, Any]:
    """Return the context of a record's page for a query string: ``order``, ``cursor``, ``trail``.

    :raises Http404: no event of the record has arrived.
    :raises EventStoreUnavailableError: the log does not answer.
    """
    head = event_store().heads([stream]).get(stream)
    if head is None:
        raise Http404(f"No event of {stream} has arrived.")
    mapping = mapping_for_source(stream.entity_name)
    values, trouble = _document(stream, mapping)
    open_letters, closed_letters = selectors.dead_letters_of(stream)
    name = name_of(mapping, values) if mapping else ""
    return {
        "title": name or stream.entity_id,
        "crumbs": _crumbs(stream),
        "stream": stream,
        "head": head,
        "mapping": mapping,
        "name": name,
        "states": all_states(head, mapping, values),
        "changed_at": changed_at(head),
        "served_version": values.get("_meta", {}).get("version"),
        "projected_at": projected_at(values),
        "waits": waiting_words(head),
        "fields": _fields(mapping, values) if mapping else [],
        "document_mapping": values.get("_meta", {}).get("mapping", ""),
        "trouble": trouble,
        "open_letters": open_letters,
        "closed_letters": closed_letters,
        **_timeline(stream, query),
    }


def waiting_words(head: Head) -> str:
    """Return what keeps the newest version from readers, or an empty text."""
    if head.blocked:
        return "Blocked: new events are stored, and readers keep the old document."
    if head.projected_version < head.version:
        return f"Version {head.version} is on its way to readers."
    if head.published_version < head.version:
        return f"Version {head.version} is served and waits to be broadcast."
    return ""


def stored_event(stream: StreamKey, commit_ms: int, version: int) -> StoredEvent:
    """Return one event of a stream.

    :raises Http404: there is no such event.
    :raises EventStoreUnavailableError: the log does not answer.
    """
    cursor: str | None = None
    while True:
        query = HistoryQuery(stream, since_ms=commit_ms, until_ms=commit_ms + 1, cursor=cursor)
        page = event_store().history(query)
        for event in page.events:
            if event.version == version:
                return event
        if page.next_cursor is None:
            raise Http404(f"{stream} has no version {version} at this time.")
        cursor = page.next_cursor


def event_of(stream: StreamKey, commit_ms: int, version: int) -> dict[str, Any]:
    """Return the context of one event's page; errors as of ``stored_event``."""
    stored = stored_event(stream, commit_ms, version)
    raw = stored.event.raw
    record = (str(stream.entity_id), reverse("admin:crm_events_record_page", args=stream))
    return {
        "title": f"Raw event, version {version}",
        "crumbs": [*_crumbs(stream), record],
        "stream": stream,
        "stored": stored,
        "entry": entry_of(stored),
        "order_key": " / ".join(map(str, stored.event.order_key)),
        "raw": pretty_json(raw),
        "raw_is_cut": len(raw) > SHOWN_CHARACTERS,
        "raw_bytes": len(raw.encode()),
    }


def _crumbs(stream: StreamKey) -> list[tuple[str, str]]:
    records = reverse("admin:crm_events_record_changelist")
    return [("Records", records), (stream.entity_name, f"{records}?entity={stream.entity_name}")]


def _document(stream: StreamKey, mapping: EntityMapping | None) -> tuple[dict[str, Any], str]:
    if mapping is None:
        return {}, ""
    try:
        document = read_model().get_many(mapping.entity, [stream.entity_id]).get(stream.entity_id)
    except ReadModelUnavailableError:
        return {}, _NO_READ_MODEL
    return (document.decode() if document else {}), ""


def _fields(mapping: EntityMapping, values: Mapping[str, Any]) -> list[FieldRow]:
    if not values:
        return []
    issues = {issue["field"]: issue["error"] for issue in values.get("_meta", {}).get("issues", ())}
    specs = mapping.schema.by_name
    names = [name for name in values if name != "_meta"]
    ids = {name for name in names if name in specs and specs[name].kind is FieldKind.ID}
    return [FieldRow(name, values[name], issues.get(name, ""), name in ids) for name in names]


def _timeline(stream: StreamKey, query: Mapping[str, str]) -> dict[str, Any]:
    order = HistoryOrder.ARRIVAL if query.get("order") == "arrival" else HistoryOrder.FOLD
    cursor = query.get("cursor") or None
    try:
        page = _history(stream, order, cursor)
    except InvalidCursorError:
        page, cursor = _history(stream, order, None), None
    entries = [entry_of(event) for event in page.events]
    return {"entries": entries, "order": order.value, "steps": steps(query, cursor, page.next_cursor)}


def _history(stream: StreamKey, order: HistoryOrder, cursor: str | None) -> HistoryPage:
    return event_store().history(HistoryQuery(stream, order, descending=True, limit=_EVENTS_A_PAGE, cursor=cursor))
