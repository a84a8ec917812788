"""The wire shapes: one change in the envelope of each way by which it may come."""

import base64
from collections.abc import Callable, Mapping
from datetime import timedelta
from random import Random
from typing import Any

from crm_events.cdc.times import epoch_ms
from crm_events.simulator.changes import Change
from crm_events.simulator.records import from_ms
from crm_events.simulator.schema import OBJECTS, PERSON_NAME_PARTS, Column
from crm_events.simulator.texts import Diff

ORG_ID = "00DQy0000008ZxYMAU"
_CHANNEL_ID = "0YLQy0000000kPmOAI"
_SCHEMA_ID = "q7Vn2LxR0sTbYw4KdM9aEg"
_AWS_ACCOUNT = "210987654321"
_NAME = frozenset(PERSON_NAME_PARTS)
_COMETD, _APPFLOW, _PUBSUB = 0.04, 0.07, 0.10


def wrap(change: Change, rng: Random) -> dict[str, Any]:
    """Return a change in a wire shape: nearly always that of Event Relay, now and then one of the others."""
    chance = rng.random()
    if chance < _COMETD:
        return _cometd(change, rng)
    if chance < _APPFLOW:
        return _event_bridge(change, rng, "aws.partner/appflow/salesforce.com/210987654321/crm", _sparse(change))
    if chance < _PUBSUB:
        return pubsub(change, rng)
    return relay(change, rng)


def relay(change: Change, rng: Random) -> dict[str, Any]:
    """Return a change as Event Relay delivers it to EventBridge."""
    detail = {"payload": _sparse(change), "schemaId": _SCHEMA_ID, "id": new_uuid(rng)}
    return _event_bridge(change, rng, f"aws.partner/salesforce.com/{ORG_ID}/{_CHANNEL_ID}", detail)


def pubsub(change: Change, rng: Random) -> dict[str, Any]:
    """Return a change as a Pub/Sub subscriber decodes it: every field of the object, and names for bitmaps."""
    replay_id = base64.b64encode(rng.getrandbits(80).to_bytes(10, "big")).decode()
    return {"replayId": replay_id, "schemaId": _SCHEMA_ID, "payload": _dense(change)}


def new_uuid(rng: Random) -> str:
    """Return a random UUID."""
    digits = f"{rng.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _event_bridge(change: Change, rng: Random, source: str, detail: dict[str, Any]) -> dict[str, Any]:
    delivered_at = from_ms(change.committed_ms) + timedelta(seconds=rng.uniform(1, 6))
    # A custom object's events are named without its c: My_Object__c sends My_Object__ChangeEvent.
    name = change.entity.removesuffix("c") if change.entity.endswith("__c") else change.entity
    return {
        "version": "0",
        "id": new_uuid(rng),
        "detail-type": f"{name}ChangeEvent",
        "source": source,
        "account": _AWS_ACCOUNT,
        "time": delivered_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "eu-west-1",
        "resources": [],
        "detail": detail,
    }


def _cometd(change: Change, rng: Random) -> dict[str, Any]:
    event = {"schema": _SCHEMA_ID, "payload": _sparse(change), "event": {"replayId": rng.randrange(10**7, 10**8)}}
    # Some subscribers pass the raw Bayeux message on.
    return {"data": event, "channel": "/data/ChangeEvents"} if rng.random() < 0.5 else event  # noqa: PLR2004


def _header(change: Change) -> dict[str, Any]:
    return {
        "entityName": change.entity,
        "recordIds": list(change.record_ids),
        "changeType": change.change_type,
        "changeOrigin": change.origin,
        "transactionKey": change.transaction_key,
        "sequenceNumber": change.sequence,
        "commitTimestamp": change.commit_timestamp,
        "commitNumber": change.commit_number,
        "commitUser": change.user,
        "changedFields": [_event_name(change, name) for name in change.changed],
    }


def _sparse(change: Change) -> dict[str, Any]:
    """Return the payload of Event Relay and CometD: what changed, in texts and numbers."""
    body = {**OBJECTS[change.entity].nested(change.fields), **change.enriched}
    return {"ChangeEventHeader": _header(change), **_written(body, _sparse_value)}


def _dense(change: Change) -> dict[str, Any]:
    """Return the payload of the Pub/Sub API: all fields, null where nothing changed as well as where it became null."""
    kind = OBJECTS[change.entity]
    nulled = [_event_name(change, name) for name in change.changed if change.fields.get(name) is None]
    diffs = [name for name, value in change.fields.items() if isinstance(value, Diff)]
    header = {**_header(change), "nulledFields": nulled, "diffFields": diffs}
    values: dict[str, Any] = {column.name: None for column in kind.event_columns}
    values.update((name, _dense_value(kind.columns[name], value)) for name, value in change.fields.items())
    if kind.is_switchable:
        # A company's Name is a text, a person's an object.
        unwanted = {"Name"} if any(part in change.fields for part in _NAME) else _NAME
        values = {name: value for name, value in values.items() if name not in unwanted}
    return {"ChangeEventHeader": header, **kind.nested(values), **change.enriched}


def _event_name(change: Change, name: str) -> str:
    return OBJECTS[change.entity].columns[name].event_name


def _written(fields: Mapping[str, Any], write: Callable[[Any], Any]) -> dict[str, Any]:
    return {name: _written(value, write) if isinstance(value, dict) else write(value) for name, value in fields.items()}


def _sparse_value(value: Any) -> Any:
    return {"diff": value.text} if isinstance(value, Diff) else value


def _dense_value(column: Column, value: Any) -> Any:
    if isinstance(value, Diff):
        return value.text
    # A day is its first millisecond.
    return epoch_ms(value) if value is not None and column.type in ("date", "datetime") else value
