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
_NESTING = frozenset({dict, list})
_AVRO_NAME = re.compile(r"[a-z]\w*(\.\w+)+")


class Envelope(NamedTuple):
    """A change out of its envelope: its header, its payload, and the envelope's word on who sent it.

    Values in both may still be inside Avro unions.
    """

    header: dict[str, Any]
    payload: dict[str, Any]
    source: Any = None

    @property
    def org_id(self) -> str | None:
        """Return the id of the org that sent the change."""
        match = _RELAY_SOURCE.fullmatch(self.source) if isinstance(self.source, str) else None
        return match.group(1) if match else None


def open_envelope(value: Any) -> Envelope | None:
    """Return what is inside an event of any wire shape, or ``None`` where no change event header can be found."""
    if not isinstance(value, dict):
        return None
    for path in _PATHS:
        payload = _follow(value, path)
        if isinstance(payload, dict) and HEADER in payload:
            header = _unwrap_outer(payload[HEADER])
            return Envelope(header, payload, value.get("source")) if isinstance(header, dict) else None
    return None


def unwrap(value: Any) -> Any:
    """Return a value without the names of Avro union branches around it or anything inside it."""
    if isinstance(value, dict) and len(value) == 1:
        value = _unwrap_outer(value)
    if isinstance(value, dict):
        return unwrap_members(value)
    if isinstance(value, list) and not _NESTING.isdisjoint(map(type, value)):
        return [unwrap(member) for member in value]
    return value


def unwrap_members(value: dict[str, Any]) -> dict[str, Any]:
    """Return an object whose members are unwrapped."""
    nested = [name for name, member in value.items() if type(member) in _NESTING]
    return value | {name: unwrap(value[name]) for name in nested} if nested else value


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
