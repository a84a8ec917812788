"""Saved states: a table of their own, all of which may be lost without harm."""

from collections.abc import Iterable, Sequence
from typing import Any

from crm_events.adapters.dynamodb.batches import Item, Statement, batch_get, batch_write, run_statements
from crm_events.adapters.dynamodb.connection import Connection
from crm_events.adapters.dynamodb.items import state_item, state_of
from crm_events.adapters.dynamodb.sizes import MAX_ITEM_BYTES, item_size
from crm_events.adapters.dynamodb.tables import Tables, entity_shards, stream_item_key
from crm_events.domain.heads import SavedState
from crm_events.domain.identifiers import StreamKey

_VALUES = ("version", "newest_position", "fingerprint", "body")
_KEY = ("entity_shard", "entity_key")
_UPDATE = (
    f"UPDATE {{table}} {' '.join(f'SET {name} = ?' for name in _VALUES)}"
    f" WHERE {' AND '.join(f'{name} = ?' for name in _KEY)} AND version <= ?"
)
_INSERT = f"INSERT INTO {{table}} VALUE {{{{{', '.join(repr(name) + ': ?' for name in (*_KEY, *_VALUES))}}}}}"


class States:
    """Keep saved states."""

    def __init__(self, connection: Connection, tables: Tables) -> None:
        self._connection = connection
        self._table = tables.states

    def load(self, streams: Sequence[StreamKey]) -> dict[StreamKey, SavedState]:
        """Return the saved states there are."""
        keys = [stream_item_key(stream) for stream in dict.fromkeys(streams)]
        states = [state_of(item) for item in batch_get(self._connection, self._table, keys)]
        return {state.stream: state for state in states}

    def save(self, states: Sequence[SavedState]) -> None:
        """Keep states, each of another stream; a lower version than the kept one is ignored.

        One too large for an item, even compressed, is not kept: its record is folded from more events instead.
        """
        items = [item for item in map(state_item, states) if item_size(item) <= MAX_ITEM_BYTES]
        updates = [Statement(_UPDATE, _pick(item, *_VALUES, *_KEY, "version")) for item in items]
        updated = self._run(updates)
        # Those that failed have a newer state kept, and then inserting fails too, or none.
        self._run(
            [
                Statement(_INSERT, _pick(item, *_KEY, *_VALUES))
                for item, held in zip(items, updated, strict=True)
                if not held
            ]
        )

    def _run(self, statements: Sequence[Statement]) -> list[bool]:
        return run_statements(self._connection, self._table, statements)

    def purge(self, entity_names: Iterable[str]) -> int:
        """Forget the states of some objects; return how many."""
        return sum(self._purge_shard(shard) for name in entity_names for shard in entity_shards(name))

    def _purge_shard(self, shard: str) -> int:
        query: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "entity_shard = :shard",
            "ExpressionAttributeValues": {":shard": {"S": shard}},
            "ProjectionExpression": "entity_shard, entity_key",
            "ConsistentRead": True,
        }
        purged = 0
        while True:
            page = self._connection.call("query", **query)
            batch_write(self._connection, self._table, [{"DeleteRequest": {"Key": key}} for key in page["Items"]])
            purged += len(page["Items"])
            if "LastEvaluatedKey" not in page:
                return purged
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _pick(item: Item, *names: str) -> list[Item]:
    return [item[name] for name in names]
