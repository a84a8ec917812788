"""How events get into the log: heads read, repeats found, packs of streams written, whoever came too late again."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from botocore.exceptions import ClientError

from crm_events.adapters.dynamodb import payloads
from crm_events.adapters.dynamodb.backoff import Backoff
from crm_events.adapters.dynamodb.batches import batch_get, batch_write
from crm_events.adapters.dynamodb.connection import Connection
from crm_events.adapters.dynamodb.heads import Heads
from crm_events.adapters.dynamodb.items import event_key, stream_of
from crm_events.adapters.dynamodb.outages import throttled_words
from crm_events.adapters.dynamodb.planning import ATTRIBUTES, Known, Plan, plan_append
from crm_events.adapters.dynamodb.tables import Tables
from crm_events.adapters.dynamodb.transactions import Cancelled, StreamWrite, WriteMaker, pack_writes, read_reasons
from crm_events.domain.heads import Head
from crm_events.domain.identifiers import StreamKey
from crm_events.ports.event_store import AppendResult, StreamAppend

# Each time somebody else was first, that somebody got further: writers of one stream take turns.
_TRIES = 60
_SECOND_TRY = 2


@dataclass(slots=True)
class _Work:
    """One append on its way, and what its tries have taught about it."""

    append: StreamAppend
    positions: list[str]
    packed: dict[str, bytes] = field(default_factory=dict)
    # Positions to look up although they look new, because the log said that it has them.
    said_to_be_known: set[str] = field(default_factory=set)
    alone: bool = False


class Appender:
    """Append to many streams, each stream at most once in a call of ``append``."""

    def __init__(self, connection: Connection, tables: Tables, heads: Heads, now: datetime) -> None:
        self._connection = connection
        self._tables = tables
        self._heads = heads
        self._now = now
        self._maker = WriteMaker(tables, now)
        self._results: dict[StreamKey, AppendResult] = {}

    def append(self, appends: Sequence[StreamAppend]) -> dict[StreamKey, AppendResult]:
        """Write what is new and say what became of everything."""
        waiting = {a.stream: _Work(a, [event.position for event in a.events]) for a in appends}
        backoff = Backoff(_TRIES, longest_seconds=1.0)
        while waiting:
            cancelled = self._try(waiting)
            for one in cancelled:
                work = waiting[one.stream]
                work.said_to_be_known |= one.known
                # Whoever was not written because of others goes together with others once more.
                work.alone = one.is_culprit or backoff.count >= _SECOND_TRY
            waiting = {one.stream: waiting[one.stream] for one in cancelled}
            if waiting:
                backoff.wait(self._words(cancelled))
        return self._results

    def _words(self, cancelled: Sequence[Cancelled]) -> str:
        if any(one.is_throttled for one in cancelled):
            return throttled_words(self._tables.events)
        return f"Too many writers at once want to append to {cancelled[0].stream}. The work is tried again by itself."

    def _try(self, waiting: dict[StreamKey, _Work]) -> list[Cancelled]:
        heads = self._heads.read(list(waiting))
        known = self._find_repeats(waiting, heads)
        writes: list[StreamWrite] = []
        for stream, work in waiting.items():
            plan = plan_append(work.append, work.positions, heads.get(stream), known[stream], self._now)
            self._results[stream] = plan.result
            if plan.new_events:
                writes.append(self._maker.write_of(plan, heads.get(stream), _pack_payloads(work, plan)))
        self._heads.remember_names({write.stream.entity_name for write in writes if write.stream not in heads})
        alone = frozenset(stream for stream, work in waiting.items() if work.alone)
        packs = list(pack_writes(writes, alone))
        return [one for pack in self._connection.in_parallel(self._write, packs) for one in pack]

    def _find_repeats(
        self, waiting: dict[StreamKey, _Work], heads: dict[StreamKey, Head]
    ) -> dict[StreamKey, dict[str, Known]]:
        known: dict[StreamKey, dict[str, Known]] = {stream: {} for stream in waiting}
        # Read after the heads: whatever a stream got since makes its head's condition fail.
        keys = [
            event_key(stream, position)
            for stream, work in waiting.items()
            for position in dict.fromkeys(work.positions)
            # Only a position that is not newer than the stream's newest can be there already.
            if (stream in heads and position <= heads[stream].newest_position) or position in work.said_to_be_known
        ]
        for item in batch_get(self._connection, self._tables.events, keys, ATTRIBUTES):
            known[stream_of(item)][item["event_position"]["S"]] = Known.of_item(item)
        return known

    def _write(self, pack: Sequence[StreamWrite]) -> list[Cancelled]:
        """Write some streams, and return those that were not written."""
        staged = [{"PutRequest": {"Item": part}} for write in pack for part in write.staged]
        batch_write(self._connection, self._tables.events, staged)
        actions = [action for write in pack for action in write.actions]
        try:
            self._connection.call("transact_write_items", TransactItems=actions)
        except ClientError as error:
            if error.response["Error"].get("Code") != "TransactionCanceledException":
                raise
            return read_reasons(pack, error.response["CancellationReasons"])
        return []


def _pack_payloads(work: _Work, plan: Plan) -> dict[str, bytes]:
    for position, stored in plan.new_events:
        if position not in work.packed:
            work.packed[position] = payloads.pack(stored.event.raw)
    return work.packed
