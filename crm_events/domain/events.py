"""Events as the log keeps them, and the identity that tells a repeat from a new fact."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from json.encoder import encode_basestring_ascii

from crm_events.domain.identifiers import StreamKey
from crm_events.domain.order import OrderKey


class EventType(StrEnum):
    """The change types of Salesforce that belong to a stream, and SNAPSHOT, which is ours."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    UNDELETE = "UNDELETE"
    GAP_CREATE = "GAP_CREATE"
    GAP_UPDATE = "GAP_UPDATE"
    GAP_DELETE = "GAP_DELETE"
    GAP_UNDELETE = "GAP_UNDELETE"
    SNAPSHOT = "SNAPSHOT"

    @property
    def is_gap(self) -> bool:
        """Say whether the event tells of a change without its values."""
        return self.value.startswith("GAP_")


class EventSource(StrEnum):
    """Where an event came from."""

    CDC = "cdc"
    BACKFILL = "backfill"
    GAP_REPAIR = "gap_repair"
    RECONCILIATION = "reconciliation"


# Not frozen, though nobody changes one: freezing makes each several times as costly, and every event makes one.
@dataclass(slots=True, unsafe_hash=True)
class NewEvent:
    """An event ready to be appended to its stream.

    ``raw`` is the JSON text exactly as it arrived. ``delivery_id`` and ``delivery_index`` say which request brought it
    and at which place; for rows we read ourselves they name the run and the row.
    """

    stream: StreamKey
    event_type: EventType
    order_key: OrderKey
    event_id: str
    source: EventSource
    raw: str
    delivery_id: str
    delivery_index: int

    @property
    def position(self) -> str:
        """Return the place in fold order: order key, then event id."""
        return f"{self.order_key}#{self.event_id}"


# Not frozen, though nobody changes one: freezing makes each several times as costly, and every event makes one.
@dataclass(slots=True, unsafe_hash=True)
class StoredEvent:
    """An event of the log: what was appended, plus its version, time and lateness.

    ``late`` says that a newer event (by position) was already in the stream when this one arrived.
    """

    event: NewEvent
    version: int
    recorded_at: datetime
    late: bool

    @property
    def position(self) -> str:
        """Return the place in fold order."""
        return self.event.position


def cdc_event_id(transaction_key: str, sequence_number: int, stream: StreamKey, change_type: EventType) -> str:
    """Return the identity of one change of one record, the same however often and by whichever way it arrives."""
    return _digest([transaction_key, sequence_number, stream.entity_name, str(change_type), stream.entity_id])


def snapshot_event_id(source: EventSource, stream: StreamKey, order_key: OrderKey) -> str:
    """Return the identity of a row that we read ourselves."""
    return _digest([source.value, stream.entity_name, stream.entity_id, str(order_key)])


def notice_id(transaction_key: str, sequence_number: int, entity_name: str, change_type: str, record_id: str) -> str:
    """Return the identity of a notice, which belongs to no stream."""
    return _digest([transaction_key, sequence_number, entity_name, change_type, record_id])


def _digest(parts: list[str | int]) -> str:
    # JSON keeps the parts apart whatever they contain; 128 bits are plenty within one stream.
    members = [str(part) if isinstance(part, int) else encode_basestring_ascii(part) for part in parts]
    return hashlib.sha256(f"[{','.join(members)}]".encode()).hexdigest()[:32]
