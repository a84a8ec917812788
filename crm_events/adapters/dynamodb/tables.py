"""The tables: their names, keys and indexes, and where a stream has its place in them.

``<prefix>-events`` holds one item for each event, partition ``entity_key`` (``Account#001...``), sort
``event_position``: a Query is replay order. Payloads too large for an item lie in partitions of their own, named by
stream and content. A late event also carries ``late_version``, so the index ``late`` finds them by arrival.

``<prefix>-streams`` holds one small item for each head, partition ``entity_shard`` (``Account#5``), sort
``entity_key``: a Query over the shards of an object is a strongly consistent walk of its streams, which an index could
not give. One partition more has the names of the objects. Sparse indexes find what is pending, dirty or blocked.

``<prefix>-states`` holds saved states under the same keys as heads; all of it may be lost without harm.
"""

import zlib
from dataclasses import dataclass, field
from typing import Any, Final

from crm_events.domain.identifiers import StreamKey

# Every object's heads, and each sparse index, lie in so many partitions; one takes 1,000 write units a second before
# DynamoDB splits it (Developer Guide, bp-partition-key-design). Every head's key depends on the number: it must stay.
SHARDS: Final = 8
NAMES_PARTITION: Final = "#entities"
PENDING_INDEX, DIRTY_INDEX, BLOCKED_INDEX, LATE_INDEX = "pending", "dirty", "blocked", "late"


@dataclass(frozen=True, slots=True)
class KeySchema:
    """The attributes of a key, each with its type (``S`` or ``N``)."""

    partition: tuple[str, str]
    sort: tuple[str, str]

    def as_request(self) -> list[dict[str, str]]:
        """Return the key as DynamoDB's API spells it."""
        return [
            {"AttributeName": self.partition[0], "KeyType": "HASH"},
            {"AttributeName": self.sort[0], "KeyType": "RANGE"},
        ]


@dataclass(frozen=True, slots=True)
class TableSchema:
    """What one table must be like. Indexes hold keys only: a head or an event is always read from the table itself.

    ``irreplaceable`` asks for backups to any point in time and protection against deletion; ``streams`` for a stream
    of new images.
    """

    name: str
    key: KeySchema
    global_indexes: dict[str, KeySchema] = field(default_factory=dict)
    local_indexes: dict[str, KeySchema] = field(default_factory=dict)
    irreplaceable: bool = True
    streams: bool = False

    def attributes(self) -> list[dict[str, str]]:
        """Return the definitions of all key attributes as DynamoDB's API spells them."""
        keys = [self.key, *self.global_indexes.values(), *self.local_indexes.values()]
        types = dict(part for key in keys for part in (key.partition, key.sort))
        return [{"AttributeName": name, "AttributeType": kind} for name, kind in sorted(types.items())]


class Tables:
    """The tables of one prefix; ``change_stream``: DynamoDB is to tell others of every new event."""

    def __init__(self, prefix: str, *, change_stream: bool = True) -> None:
        self.events = f"{prefix}-events"
        self.streams = f"{prefix}-streams"
        self.states = f"{prefix}-states"
        self._change_stream = change_stream

    def schemas(self) -> list[TableSchema]:
        """Return what the tables must be like."""
        stream_key = KeySchema(("entity_shard", "S"), ("entity_key", "S"))
        return [
            TableSchema(
                self.events,
                KeySchema(("entity_key", "S"), ("event_position", "S")),
                local_indexes={LATE_INDEX: KeySchema(("entity_key", "S"), ("late_version", "N"))},
                streams=self._change_stream,
            ),
            TableSchema(
                self.streams,
                stream_key,
                global_indexes={
                    PENDING_INDEX: KeySchema(("pending_shard", "S"), ("pending_since", "N")),
                    DIRTY_INDEX: KeySchema(("dirty_shard", "S"), ("entity_key", "S")),
                    BLOCKED_INDEX: KeySchema(("blocked_shard", "S"), ("entity_key", "S")),
                },
            ),
            TableSchema(self.states, stream_key, irreplaceable=False),
        ]


def shard_of(stream: StreamKey) -> str:
    """Return the number of the shard that a stream belongs to."""
    return str(zlib.crc32(str(stream).encode()) % SHARDS)


def stream_item_key(stream: StreamKey) -> dict[str, Any]:
    """Return the key of a stream's head, and of its saved state."""
    return {"entity_shard": {"S": f"{stream.entity_name}#{shard_of(stream)}"}, "entity_key": {"S": str(stream)}}


def shards() -> list[str]:
    """Return the names of all partitions of a sparse index."""
    return [str(number) for number in range(SHARDS)]


def entity_shards(entity_name: str) -> list[str]:
    """Return the names of all partitions that hold an object's streams."""
    return [f"{entity_name}#{shard}" for shard in shards()]
