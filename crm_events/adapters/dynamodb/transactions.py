"""What one stream's append writes, how several share a transaction, and what a cancelled one says about each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from crm_events.adapters.dynamodb.items import MAX_INLINE_BYTES, Item, event_items, to_microseconds
from crm_events.adapters.dynamodb.outages import THROTTLED
from crm_events.adapters.dynamodb.planning import Plan
from crm_events.adapters.dynamodb.sizes import MAX_ACTIONS, MAX_TRANSACTION_BYTES, item_size
from crm_events.adapters.dynamodb.tables import Tables, shard_of, stream_item_key
from crm_events.domain.heads import Head
from crm_events.domain.identifiers import StreamKey
from crm_events.ports.event_store import EventStoreError

# An append that is too large for a transaction keeps only payloads up to this in it; 99 of them fit.
_SMALL_INLINE_BYTES: Final = 16_000
_HEAD_BYTES: Final = 1_000
_FINE: Final = frozenset({"None", ""})
_CONDITION: Final = "ConditionalCheckFailed"
_BUSY: Final = THROTTLED | {"TransactionConflict"}


class AppendRefusedError(EventStoreError):
    """DynamoDB does not take an append as it is; trying again would not help."""

    def __init__(self, stream: StreamKey, code: str, message: str) -> None:
        super().__init__(stream, code, message)
        self.stream, self.code, self.message = stream, code, message

    def __str__(self) -> str:
        return f"DynamoDB refuses events of {self.stream} for good ({self.code}): {self.message}"


@dataclass(slots=True)
class StreamWrite:
    """The actions that write one stream's append, its head's first, and what has to be there before them."""

    stream: StreamKey
    actions: list[Item] = field(default_factory=list)
    staged: list[Item] = field(default_factory=list)
    size: int = _HEAD_BYTES


class WriteMaker:
    """Make the actions of appends."""

    def __init__(self, tables: Tables, now: datetime) -> None:
        self._tables = tables
        self._now_us = {"N": str(to_microseconds(now))}

    def write_of(self, plan: Plan, head: Head | None, packed: dict[str, bytes]) -> StreamWrite:
        """Return the actions of a plan that has new events; ``packed`` has their payloads by position.

        If they do not fit one transaction, large payloads are to be written before it (``staged``): nobody sees them
        until the transaction writes the events that name them.
        """
        write = self._write(plan, head, packed, MAX_INLINE_BYTES)
        if len(write.actions) <= MAX_ACTIONS and write.size <= MAX_TRANSACTION_BYTES:
            return write
        return self._write(plan, head, packed, _SMALL_INLINE_BYTES, stage=True)

    def _write(
        self, plan: Plan, head: Head | None, packed: dict[str, bytes], max_inline: int, *, stage: bool = False
    ) -> StreamWrite:
        write = StreamWrite(plan.result.stream, [self._head_action(plan, head)])
        parts: dict[tuple[str, str], Item] = {}
        for position, stored in plan.new_events:
            items = event_items(stored, position, packed[position], max_inline)
            write.actions.append(self._put(items.event, "attribute_not_exists(entity_key)"))
            write.size += item_size(items.event)
            # Two events with the same payload share its parts; no action may be about the same item as another.
            parts |= {(part["entity_key"]["S"], part["event_position"]["S"]): part for part in items.parts}
        if stage:
            write.staged += parts.values()
        else:
            write.actions += [self._put(part) for part in parts.values()]
            write.size += sum(item_size(part) for part in parts.values())
        return write

    def _put(self, item: Item, condition: str = "") -> Item:
        put = {"TableName": self._tables.events, "Item": item}
        return {"Put": put | ({"ConditionExpression": condition} if condition else {})}

    def _head_action(self, plan: Plan, head: Head | None) -> Item:
        values: dict[str, Any] = {
            ":version": {"N": str(plan.version)},
            ":newest": {"S": plan.newest},
            ":now": self._now_us,
        }
        assign = "SET version = :version, newest_position = :newest, pending_since = if_not_exists(pending_since, :now)"
        if head is None:
            condition = "attribute_not_exists(entity_key)"
            assign += ", projected = :zero, published = :zero, pending_shard = :shard"
            values |= {":zero": {"N": "0"}, ":shard": {"S": shard_of(plan.result.stream)}}
        else:
            condition = "version = :known"
            values[":known"] = {"N": str(head.version)}
        return {
            "Update": {
                "TableName": self._tables.streams,
                "Key": stream_item_key(plan.result.stream),
                "UpdateExpression": assign,
                "ConditionExpression": condition,
                "ExpressionAttributeValues": values,
            }
        }


def pack_writes(writes: Sequence[StreamWrite], alone: frozenset[StreamKey]) -> Iterator[list[StreamWrite]]:
    """Put streams together while they fit one transaction; those in ``alone`` get one of their own."""
    pack: list[StreamWrite] = []
    actions = size = 0
    for write in writes:
        if write.stream in alone:
            yield [write]
            continue
        if pack and (actions + len(write.actions) > MAX_ACTIONS or size + write.size > MAX_TRANSACTION_BYTES):
            yield pack
            pack, actions, size = [], 0, 0
        pack.append(write)
        actions, size = actions + len(write.actions), size + write.size
    if pack:
        yield pack


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Why a stream's part in a transaction was not written.

    ``is_culprit``: its own actions failed, not only others'. ``known`` are positions that the log turned out to have.
    """

    stream: StreamKey
    is_culprit: bool
    is_throttled: bool
    known: frozenset[str]


def read_reasons(pack: Sequence[StreamWrite], reasons: Sequence[Mapping[str, Any]]) -> list[Cancelled]:
    """Say what the reasons of a cancelled transaction, one for each action in order, mean for each stream.

    :raises AppendRefusedError: a reason that no other try would mend.
    """
    found = []
    start = 0
    for write in pack:
        part = reasons[start : start + len(write.actions)]
        start += len(write.actions)
        _refuse_for_good(write.stream, part)
        codes = [str(reason.get("Code", "")) for reason in part]
        failed = [action for action, code in zip(write.actions, codes, strict=True) if code == _CONDITION]
        found.append(
            Cancelled(
                write.stream,
                is_culprit=any(code not in _FINE for code in codes),
                is_throttled=any(code in THROTTLED for code in codes),
                known=frozenset(a["Put"]["Item"]["event_position"]["S"] for a in failed if "Put" in a),
            )
        )
    return found


def _refuse_for_good(stream: StreamKey, reasons: Sequence[Mapping[str, Any]]) -> None:
    for reason in reasons:
        code = str(reason.get("Code", ""))
        if code not in _FINE and code != _CONDITION and code not in _BUSY:
            raise AppendRefusedError(stream, code, str(reason.get("Message", "")))
