"""The wire shapes in which one change can arrive, reduced to its payload."""

import re
from typing import Any, NamedTuple

HEADER = "ChangeEventHeader"
# Where the payload stands: Event Relay; AppFlow, which leaves one level out; CometD as the Bayeux message wraps it;
# CometD and decoded Pub/Sub. The bare payload comes last.
_PATHS = (("detail", "payload"), ("detail",), ("data", "payload"), ("payload",), ())
# EventBridge names the partner source after the org and its relay channel (EventRelayFeedback, RemoteResource).
_RELAY_SOURCE = re.compile(r"aws\.partner/salesforce\.com/(00D[0-9A-Za-z]{12}(?:[0-9A-Za-z]{3})?)/\S*")
# Some Avro libraries leave the branch of a union around its value: {"string": "94105"}, or the name of a record type,
# {"com.sforce.eventbus.Address": {...}}.
_AVRO_PRIMITIVES = frozenset({"string", "int", "long", "float", "double", "boolean", "bytes", "array", "map"})
_NESTING = (dict, list)
_AVRO_NAME = re.compile(r"[a-z]\w*(\.\w+)+")


class Envelope(NamedTuple):
    """A change out of its envelope: its header, its payload, and the org that sent it as far as one can see.

    Values in both may still be inside Avro unions.
    """

    header: dict[str, Any]
    payload: dict[str, Any]
    org_id: str | None


def open_envelope(value: Any) -> Envelope | None:
    """Return what is inside an event of any wire shape, or ``None`` where no change event header can be found."""
    for path in _PATHS:
        payload = _follow(value, path)
        if isinstance(payload, dict) and HEADER in payload:
            header = _unwrap_outer(payload[HEADER])
            return Envelope(header, payload, _org_id(value)) if isinstance(header, dict) else None
    return None


def unwrap(value: Any) -> Any:
    """Return a value without the names of Avro union branches around it or anything inside it."""
    value = _unwrap_outer(value)
    if isinstance(value, dict):
        return unwrap_members(value)
    if isinstance(value, list):
        return [unwrap(member) if isinstance(member, _NESTING) else member for member in value]
    return value


def unwrap_members(value: dict[str, Any]) -> dict[str, Any]:
    """Return an object whose members are unwrapped."""
    # The look at the type spares a call for each of the many scalars.
    return {name: unwrap(member) if isinstance(member, _NESTING) else member for name, member in value.items()}


def _unwrap_outer(value: Any) -> Any:
    while isinstance(value, dict) and len(value) == 1:
        (name,) = value
        if name not in _AVRO_PRIMITIVES and not ("." in name and _AVRO_NAME.fullmatch(name)):
            break
        value = value[name]
    return value


def _follow(value: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


def _org_id(value: Any) -> str | None:
    source = value.get("source")
    match = _RELAY_SOURCE.fullmatch(source) if isinstance(source, str) else None
    return match.group(1) if match else None
