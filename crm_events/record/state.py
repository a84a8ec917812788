"""The state of one Salesforce record, as far as its events tell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crm_events.cdc.json_text import decode_exact, encode_exact


# Not frozen, though nobody changes one: freezing makes each several times as costly, and every event makes one.
@dataclass(slots=True, unsafe_hash=True)
class RecordState:
    """A folded record.

    ``fields`` holds the last known values by their REST names, compounds flattened; a name that is not there is null or
    was never told. ``complete`` says that a CREATE, an UNDELETE or a full row was folded. ``stale`` says that something
    changed without telling what, ``unknown`` names single fields of which that is so. ``confirmed_gone`` says that
    Salesforce was asked and has no such record. ``system_modified_ms`` is the newest of SystemModstamp and commit time
    of the changes folded, in epoch milliseconds; ``event_count`` is the number of all events folded.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    is_deleted: bool = False
    complete: bool = False
    stale: bool = False
    unknown: frozenset[str] = frozenset()
    confirmed_gone: bool = False
    system_modified_ms: int | None = None
    event_count: int = 0

    @property
    def is_dirty(self) -> bool:
        """Say whether the record must be read again from Salesforce."""
        return self.stale or bool(self.unknown) or not (self.complete or self.confirmed_gone)


EMPTY = RecordState()


def dump_state(state: RecordState) -> bytes:
    """Return a state as JSON; equal states give equal bytes."""
    return encode_exact(
        {
            "fields": dict(sorted(state.fields.items())),
            "is_deleted": state.is_deleted,
            "complete": state.complete,
            "stale": state.stale,
            "unknown": sorted(state.unknown),
            "confirmed_gone": state.confirmed_gone,
            "system_modified_ms": state.system_modified_ms,
            "event_count": state.event_count,
        }
    ).encode()


def load_state(body: bytes) -> RecordState:
    """Return the state that ``dump_state`` wrote, with every digit.

    :raises ValueError: the bytes are not JSON.
    :raises TypeError: they are not a state.
    """
    values = decode_exact(body.decode())
    values["unknown"] = frozenset(values["unknown"])
    return RecordState(**values)
