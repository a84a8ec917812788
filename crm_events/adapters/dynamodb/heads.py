"""Heads: read in bulk as they are now, watermarks moved, streams parked, and the names of all objects."""

import time
from collections.abc import Iterable, Sequence

from crm_events.adapters.dynamodb.backoff import Backoff
from crm_events.adapters.dynamodb.batches import Item, Statement, batch_get, batch_write, run_statements
from crm_events.adapters.dynamodb.connection import Connection
from crm_events.adapters.dynamodb.items import head_of
from crm_events.adapters.dynamodb.tables import NAMES_PARTITION, Tables, shard_of, stream_item_key
from crm_events.domain.heads import Head, Watermark
from crm_events.domain.identifiers import StreamKey

_TRIES = 60
# How long a process trusts that a name it wrote is still there; tables may be restored or made anew meanwhile.
_NAME_TRUSTED_SECONDS = 300.0
_THIS = "entity_shard = ? AND entity_key = ?"


class Heads:
    """Read and change heads."""

    def __init__(self, connection: Connection, tables: Tables) -> None:
        self._connection = connection
        self._table = tables.streams
        self._names: dict[str, float] = {}

    def read(self, streams: Iterable[StreamKey]) -> dict[StreamKey, Head]:
        """Return the heads that exist, in the order asked for."""
        wanted = list(dict.fromkeys(streams))
        items = batch_get(self._connection, self._table, [stream_item_key(stream) for stream in wanted])
        found = {head.stream: head for head in map(head_of, items)}
        return {stream: found[stream] for stream in wanted if stream in found}

    def remember_names(self, names: Iterable[str]) -> None:
        """Write the names of objects that are about to get their first streams, unless this was done lately.

        A name without a stream, after a crash, does no harm; a stream without its name would never be walked.
        """
        now = time.monotonic()
        fresh = [name for name in names if self._names.get(name, 0.0) <= now]
        batch_write(self._connection, self._table, [{"PutRequest": {"Item": _name_item(name)}} for name in fresh])
        self._names |= dict.fromkeys(fresh, now + _NAME_TRUSTED_SECONDS)

    def move_watermarks(self, moves: Sequence[Watermark]) -> None:
        """Move the watermarks of streams, each named at most once."""
        settling = [move for move in moves if move.projected == move.published > 0]
        # Nearly all moves bring a stream up to date: they need no look at the head, only the right condition.
        settled = self._run([_settling(move) for move in settling])
        rest = [move for move in moves if not move.projected == move.published > 0]
        rest += [move for move, held in zip(settling, settled, strict=True) if not held]
        backoff = Backoff(_TRIES, longest_seconds=1.0)
        while rest := self._move_by_heads(rest):
            backoff.wait(f"Too many writers at once move the watermarks of {rest[0].stream}.")

    def _move_by_heads(self, moves: Sequence[Watermark]) -> list[Watermark]:
        """Move watermarks as the heads allow, and return the moves whose heads changed meanwhile."""
        heads = self.read([move.stream for move in moves])
        waiting: list[Watermark] = []
        statements: list[Statement] = []
        for move in moves:
            head = heads.get(move.stream)
            if head is not None and (moved := head.moved(move)) != head:
                waiting.append(move)
                statements.append(_moving(head, moved))
        held = self._run(statements)
        return [move for move, one in zip(waiting, held, strict=True) if not one]

    def set_blocked(self, streams: Sequence[StreamKey], blocked: bool) -> None:
        """Park streams that exist, or release them."""
        # Only what has a pending shard is in the index of pending streams, whatever else happens to the head.
        marked, unmarked = ("blocked_shard", "pending_shard") if blocked else ("pending_shard", "blocked_shard")
        text = f"UPDATE {{table}} SET {marked} = ? REMOVE {unmarked} WHERE {_THIS}"
        self._run(
            [Statement(text, [{"S": shard_of(stream)}, *_key_values(stream)]) for stream in dict.fromkeys(streams)]
        )

    def _run(self, statements: Sequence[Statement]) -> list[bool]:
        return run_statements(self._connection, self._table, statements)


def _name_item(name: str) -> Item:
    return {"entity_shard": {"S": NAMES_PARTITION}, "entity_key": {"S": name}}


def _key_values(stream: StreamKey) -> list[Item]:
    key = stream_item_key(stream)
    return [key["entity_shard"], key["entity_key"]]


def _number(value: int) -> Item:
    return {"N": str(value)}


def _settling(move: Watermark) -> Statement:
    """Return the statement that is all there is to do if the stream is at the version of the move."""
    version = _number(move.projected)
    dirty, values = _dirty_clause(move.stream, move.dirty)
    text = (
        f"UPDATE {{table}} SET projected = ? SET published = ?{dirty} REMOVE pending_since"
        f" WHERE {_THIS} AND version = ? AND projected <= ? AND published <= ?"
    )
    return Statement(text, [version, version, *values, *_key_values(move.stream), version, version, version])


def _moving(head: Head, moved: Head) -> Statement:
    """Return the statement that makes a head what it shall be, if it still is what it was."""
    dirty, values = _dirty_clause(head.stream, None if moved.dirty == head.dirty else moved.dirty)
    caught_up = " REMOVE pending_since" if moved.pending_since is None else ""
    text = (
        f"UPDATE {{table}} SET projected = ? SET published = ?{dirty}{caught_up}"
        f" WHERE {_THIS} AND version = ? AND projected = ? AND published = ?"
    )
    found = [_number(value) for value in (head.version, head.projected_version, head.published_version)]
    aims = [_number(moved.projected_version), _number(moved.published_version)]
    return Statement(text, [*aims, *values, *_key_values(head.stream), *found])


def _dirty_clause(stream: StreamKey, dirty: bool | None) -> tuple[str, list[Item]]:
    if dirty is None:
        return "", []
    return (" SET dirty_shard = ?", [{"S": shard_of(stream)}]) if dirty else (" REMOVE dirty_shard", [])
