"""Build Salesforce changes and events with boring defaults; a test names only what it is about."""

import json
from typing import Any, TypedDict, Unpack

from crm_events.cdc.snapshot import confirmed_gone_raw, snapshot_raw
from crm_events.cdc.times import epoch_ms
from crm_events.domain.events import EventSource, EventType, NewEvent, cdc_event_id, snapshot_event_id
from crm_events.domain.identifiers import StreamKey, id_checksum
from crm_events.domain.order import OrderKey

ORG_ID = "00DQy0000008ZxYMAU"
CHANNEL_ID = "0YLQy0000000kPmOAI"
# A whole second, as every commit timestamp seen so far.
TIMESTAMP = 1_791_271_200_000
_KEY_PREFIXES = {"Account": "001", "Contact": "003", "Opportunity": "006", "Lead": "00Q", "Contract": "800"}


class Header(TypedDict, total=False):
    """What a test may say about a change beyond its type and fields.

    ``timestamp`` (epoch milliseconds), ``number`` and ``sequence`` are the order key; ``number`` follows from the
    timestamp and ``transaction_key`` from both unless they are given. ``ids`` lists the records of a merged event.
    """

    timestamp: int
    number: int
    sequence: int
    transaction_key: str
    ids: list[str]
    nulled: list[str]
    diffs: list[str]
    org: str


def an_id(n: int = 1, entity: str = "Account") -> str:
    """Return the n-th valid 18-character record id of an object."""
    id15 = f"{_KEY_PREFIXES.get(entity, 'a0B')}Qy{n:010d}"
    return id15 + id_checksum(id15)


def a_stream(n: int = 1, entity: str = "Account") -> StreamKey:
    """Return the key of the n-th record of an object, the same on every call."""
    return StreamKey(entity, an_id(n, entity))


def a_change(
    change_type: str = "UPDATE",
    fields: dict[str, Any] | None = None,
    *,
    stream: StreamKey | None = None,
    changed: list[str] | None = None,
    **header: Unpack[Header],
) -> dict[str, Any]:
    """Return one change in the Event Relay envelope; an UPDATE names all its fields as changed unless told."""
    payload = a_payload(change_type, fields, stream=stream, changed=changed, **header)
    entity = payload["ChangeEventHeader"]["entityName"]
    return {
        "version": "0",
        "id": "3b0f6c1e-77aa-4d52-9c11-000000000001",
        "detail-type": f"{entity.removesuffix('c') if entity.endswith('__c') else entity}ChangeEvent",
        "source": f"aws.partner/salesforce.com/{header.get('org', ORG_ID)}/{CHANNEL_ID}",
        "account": "210987654321",
        "time": "2026-10-06T07:20:09Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": {
            "payload": payload,
            "schemaId": "q7Vn2LxR0sTbYw4KdM9aEg",
            "id": "e81d2f40-5a5b-4c1c-8a0e-000000000001",
        },
    }


def a_payload(
    change_type: str = "UPDATE",
    fields: dict[str, Any] | None = None,
    *,
    stream: StreamKey | None = None,
    changed: list[str] | None = None,
    **header: Unpack[Header],
) -> dict[str, Any]:
    """Return one change without an envelope: its header beside its fields."""
    stream = stream or a_stream()
    fields = _default_fields(change_type) if fields is None else fields
    order = _order_key(header)
    head: dict[str, Any] = {
        "commitNumber": order.commit_number,
        "commitUser": "005Qy000001HbZpIAK",
        "sequenceNumber": order.sequence_number,
        "entityName": stream.entity_name,
        "changeType": change_type,
        "changedFields": (list(fields) if change_type == "UPDATE" else []) if changed is None else changed,
        "changeOrigin": "com/salesforce/api/rest/66.0;client=OrderDesk",
        "transactionKey": _transaction_key(header),
        "commitTimestamp": order.commit_timestamp,
        "recordIds": header.get("ids", [stream.entity_id]),
    }
    if "nulled" in header:
        head["nulledFields"] = header["nulled"]
    if "diffs" in header:
        head["diffFields"] = header["diffs"]
    return {"ChangeEventHeader": head, **fields}


def a_body(*changes: dict[str, Any]) -> bytes:
    """Return the body of a request that posts these changes as an array."""
    return json.dumps(list(changes)).encode()


def a_new_event(
    change_type: str = "UPDATE",
    fields: dict[str, Any] | None = None,
    *,
    stream: StreamKey | None = None,
    changed: list[str] | None = None,
    delivery: tuple[str, int] = ("delivery-1", 0),
    **header: Unpack[Header],
) -> NewEvent:
    """Return a change as the log takes it, with ``delivery`` as its (delivery id, index)."""
    stream = stream or a_stream()
    event_type = EventType(change_type)
    order = _order_key(header)
    return NewEvent(
        stream=stream,
        event_type=event_type,
        order_key=order,
        event_id=cdc_event_id(_transaction_key(header), order.sequence_number, stream, event_type),
        source=EventSource.CDC,
        raw=json.dumps(a_change(change_type, fields, stream=stream, changed=changed, **header)),
        delivery_id=delivery[0],
        delivery_index=delivery[1],
    )


def a_snapshot(
    row: dict[str, Any] | None = None,
    *,
    stream: StreamKey | None = None,
    read_start: int = TIMESTAMP,
    full: bool = True,
    source: EventSource = EventSource.BACKFILL,
) -> NewEvent:
    """Return a row that we read from Salesforce ourselves, as the log takes it."""
    stream = stream or a_stream()
    row = {"Name": "Lindqvist Marine AB"} if row is None else row
    order = OrderKey.of_snapshot(read_start, epoch_ms(row.get("SystemModstamp")))
    raw = snapshot_raw(stream, row, read_start=read_start, full=full)
    return _our_event(stream, EventType.SNAPSHOT, order, source, raw)


def a_confirmed_deletion(
    *,
    stream: StreamKey | None = None,
    read_start: int = TIMESTAMP,
    source: EventSource = EventSource.RECONCILIATION,
) -> NewEvent:
    """Return our own DELETE, for a record that Salesforce says is gone."""
    stream = stream or a_stream()
    raw = confirmed_gone_raw(stream, read_start=read_start)
    return _our_event(stream, EventType.DELETE, OrderKey.of_snapshot(read_start, None), source, raw)


def _our_event(stream: StreamKey, event_type: EventType, order: OrderKey, source: EventSource, raw: str) -> NewEvent:
    event_id = snapshot_event_id(source, stream, order)
    return NewEvent(stream, event_type, order, event_id, source, raw, "run-1", 0)


def _default_fields(change_type: str) -> dict[str, Any]:
    return {"Name": "Lindqvist Marine AB"} if change_type in ("CREATE", "UNDELETE", "UPDATE") else {}


def _order_key(header: Header) -> OrderKey:
    timestamp = header.get("timestamp", TIMESTAMP)
    # Nineteen digits, as Salesforce sends them; a float would corrupt them.
    number = header.get("number", timestamp * 1_000_000 + 417_203_714)
    return OrderKey(timestamp, number, header.get("sequence", 1))


def _transaction_key(header: Header) -> str:
    order = _order_key(header)
    digits = f"{order.commit_number:032x}"
    default = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    return header.get("transaction_key", default)
