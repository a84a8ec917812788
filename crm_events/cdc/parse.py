"""One item of a body becomes events for the log, notices and failures; nothing it can hold raises an error."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

from crm_events.cdc.body import BodyItem
from crm_events.cdc.header import OVERFLOW, Header, HeaderError, read_header, shown
from crm_events.cdc.json_text import decode_exact
from crm_events.cdc.wire import Envelope, open_envelope, unwrap, unwrap_members
from crm_events.domain.errors import InvalidIdError
from crm_events.domain.events import EventSource, EventType, NewEvent, cdc_event_id, notice_id
from crm_events.domain.identifiers import OVERFLOW_ID, StreamKey, is_entity_name, is_wildcard_id, normalize_id
from crm_events.domain.order import OrderKey

_ID_15_LENGTH = 15


@dataclass(frozen=True, slots=True)
class Notice:
    """News of an object's records as a whole, which belongs to no stream and asks for a resync.

    ``reason`` is ``overflow`` (one transaction had too many changes) or ``wildcard`` (a field changed its type, and
    with it every record); ``record_id`` is what stood in place of a record's id.
    """

    notice_id: str
    entity_name: str
    event_type: str
    reason: str
    record_id: str
    order_key: OrderKey
    raw: str


@dataclass(frozen=True, slots=True)
class ItemFailure:
    """Why an item, or only its record ``record``, could not become an event.

    ``code`` is a short stable name, ``detail`` tells an operator what is so and what to do next, and ``cause`` tells
    classes of failure with the same code apart.
    """

    code: str
    detail: str
    record: str = ""
    entity_name: str = ""
    cause: str = ""


class ParsedItem(NamedTuple):
    """What one item of a body holds: an event for each record, notices, and what could not be read."""

    events: tuple[NewEvent, ...] = ()
    notices: tuple[Notice, ...] = ()
    failures: tuple[ItemFailure, ...] = ()


def parse_item(item: BodyItem, delivery_id: str, index: int, allowed_orgs: Collection[str] = ()) -> ParsedItem:
    """Return the events, notices and failures of one item of a body.

    A merged event becomes one event for each of its records. ``allowed_orgs`` holds the ids (15 or 18 characters) of
    the Salesforce orgs whose events are taken; empty takes all.
    """
    if not isinstance(item.value, dict):
        detail = "The item is not a JSON object. Next: find out what the sender posts beside change events."
        return ParsedItem(failures=(ItemFailure("not_an_object", detail),))
    envelope = open_envelope(item.value)
    if envelope is None:
        detail = "The item has no ChangeEventHeader. Next: see that only Change Data Capture events are sent here."
        return ParsedItem(failures=(ItemFailure("no_header", detail),))
    try:
        _check_org(envelope, allowed_orgs)
        header = read_header(_exact_header(envelope, item.raw))
    except HeaderError as error:
        entity_name = _entity_name(envelope.header)
        failure = ItemFailure(error.code, error.detail, entity_name=entity_name, cause=error.cause)
        return ParsedItem(failures=(failure,))
    return _fan_out(header, item.raw, delivery_id, index)


def _exact_header(envelope: Envelope, raw: str) -> dict[str, Any]:
    """Return the header out of its Avro unions and with all its digits, also those of ``1.791271205E+12``."""
    header = unwrap_members(envelope.header)
    if float not in map(type, header.values()):
        return header
    exact = open_envelope(decode_exact(raw))
    return header if exact is None else unwrap_members(exact.header)


def _check_org(envelope: Envelope, allowed_orgs: Collection[str]) -> None:
    if not allowed_orgs:
        return
    if envelope.org_id is None:
        raise HeaderError(
            "org_not_allowed",
            "Only events of certain Salesforce orgs are taken, and this one does not say which org it is from. "
            "Next: send it through the Event Relay, whose envelope names the org.",
        )
    # Without their three check characters, ids of both lengths compare.
    if envelope.org_id[:_ID_15_LENGTH] not in {org.strip()[:_ID_15_LENGTH] for org in allowed_orgs}:
        raise HeaderError(
            "org_not_allowed",
            f"Events of the Salesforce org {envelope.org_id} are not taken. "
            "Next: if they should be, add the org to ALLOWED_ORGS, then retry.",
            cause=envelope.org_id,
        )


def _entity_name(header: dict[str, Any]) -> str:
    name = unwrap(header.get("entityName"))
    return name if isinstance(name, str) and is_entity_name(name) else ""


def _fan_out(header: Header, raw: str, delivery_id: str, index: int) -> ParsedItem:
    if header.change_type == OVERFLOW:
        # It speaks of the whole object whatever id it carries.
        return ParsedItem(notices=(_notice(header, "overflow", OVERFLOW_ID, raw),))
    if not header.record_ids:
        detail = "The event names no record. Next: look at the payload and correct the sender, then send it again."
        return ParsedItem(failures=(ItemFailure("no_record_id", detail, entity_name=header.entity_name),))
    # Dictionaries, because an event may name the same record twice.
    events: dict[str, NewEvent] = {}
    notices: dict[str, Notice] = {}
    failures: dict[str, ItemFailure] = {}
    for value in header.record_ids:
        try:
            record_id = _record_id(value)
        except InvalidIdError as error:
            failure = _bad_record_id(error, value, header.entity_name)
            failures[failure.record] = failure
            continue
        if reason := _notice_reason(record_id):
            notices[record_id] = _notice(header, reason, record_id, raw)
        else:
            events[record_id] = _event(header, record_id, raw, (delivery_id, index))
    return ParsedItem(tuple(events.values()), tuple(notices.values()), tuple(failures.values()))


def _record_id(value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidIdError(shown(value), "wanted a text")
    return value if value.endswith("*") and is_wildcard_id(value) else normalize_id(value)


def _notice_reason(record_id: str) -> str | None:
    if record_id == OVERFLOW_ID:
        return "overflow"
    # Whatever else ends so was no record id.
    return "wildcard" if record_id.endswith("*") else None


def _bad_record_id(error: InvalidIdError, value: Any, entity_name: str) -> ItemFailure:
    detail = (
        f"“{shown(value)}” is no Salesforce record id: {error.reason}. Any other record of the event was taken. "
        "Next: look the record up in Salesforce and correct the sender."
    )
    return ItemFailure("bad_record_id", detail, record=shown(value), entity_name=entity_name)


def _notice(header: Header, reason: str, record_id: str, raw: str) -> Notice:
    return Notice(
        notice_id=notice_id(
            header.transaction_key,
            header.order_key.sequence_number,
            header.entity_name,
            header.change_type,
            record_id,
        ),
        entity_name=header.entity_name,
        event_type=header.change_type,
        reason=reason,
        record_id=record_id,
        order_key=header.order_key,
        raw=raw,
    )


def _event(header: Header, record_id: str, raw: str, origin: tuple[str, int]) -> NewEvent:
    stream = StreamKey(header.entity_name, record_id)
    event_type = EventType[header.change_type]
    return NewEvent(
        stream=stream,
        event_type=event_type,
        order_key=header.order_key,
        event_id=cdc_event_id(header.transaction_key, header.order_key.sequence_number, stream, event_type),
        source=EventSource.CDC,
        raw=raw,
        delivery_id=origin[0],
        delivery_index=origin[1],
    )
