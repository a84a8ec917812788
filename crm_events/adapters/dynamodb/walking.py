"""Finding heads: by object in key order, by how long they wait, by flag; over all shards as if they were one list."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from heapq import merge
from itertools import islice
from math import isqrt
from typing import Any

from crm_events.adapters.dynamodb.connection import Connection
from crm_events.adapters.dynamodb.heads import Heads
from crm_events.adapters.dynamodb.items import Item, head_of, stream_of, to_microseconds
from crm_events.adapters.dynamodb.tables import (
    BLOCKED_INDEX,
    DIRTY_INDEX,
    NAMES_PARTITION,
    PENDING_INDEX,
    Tables,
    entity_shards,
    shards,
)
from crm_events.domain.heads import Head
from crm_events.domain.identifiers import StreamKey
from crm_events.ports.event_store import StoreStatistics, StreamFlag, StreamPage

_COUNT_LIMIT = 10_000
# Shards are about equally full, so counting a quarter of the limit in each reaches it if it is there.
_COUNT_PER_SHARD = _COUNT_LIMIT // 4
# Pending events are added up over so many of the streams that wait longest; each further stream counts as one.
_STREAMS_ADDED_UP = 1_000
_FLAGS = {StreamFlag.DIRTY: (DIRTY_INDEX, "dirty_shard"), StreamFlag.BLOCKED: (BLOCKED_INDEX, "blocked_shard")}


class Walker:
    """Find heads. Indexes follow the table by a moment, so what they name is read again from the table."""

    def __init__(self, connection: Connection, tables: Tables, heads: Heads) -> None:
        self._connection = connection
        self._table = tables.streams
        self._heads = heads

    def list_streams(self, entity_name: str, limit: int, after: StreamKey | None) -> StreamPage:
        """Return a page of an object's heads in key order, as they are now."""
        condition, values = _from("entity_shard", after)
        queries = [
            self._query(condition, values | {":shard": {"S": shard}}, ConsistentRead=True)
            for shard in entity_shards(entity_name)
        ]
        items = self._merged(queries, lambda item: str(item["entity_key"]["S"]), limit + 1)
        return _page((head_of(item) for item in items), limit)

    def entity_names(self) -> list[str]:
        """Return the names of all objects that got streams."""
        query = self._query("entity_shard = :shard", {":shard": {"S": NAMES_PARTITION}}, ConsistentRead=True)
        return [item["entity_key"]["S"] for item in self._items(query)]

    def pending(self, limit: int, before: datetime | None) -> list[Head]:
        """Return pending heads that are not blocked, longest waiting first."""
        condition, values = "pending_shard = :shard", {}
        if before is not None:
            condition += " AND pending_since < :before"
            values = {":before": {"N": str(to_microseconds(before))}}
        queries = [
            self._query(condition, values | {":shard": {"S": shard}}, IndexName=PENDING_INDEX) for shard in shards()
        ]
        items = self._merged(queries, lambda item: (int(item["pending_since"]["N"]), item["entity_key"]["S"]), limit)
        heads = self._as_they_are(items, lambda head: _waits(head, before), limit)
        return sorted(islice(heads, limit), key=lambda head: (head.pending_since, head.stream))

    def flagged(self, flag: StreamFlag, limit: int, after: StreamKey | None) -> StreamPage:
        """Return a page of heads that carry a flag, in key order."""
        index, attribute = _FLAGS[flag]
        condition, values = _from(attribute, after)
        queries = [self._query(condition, values | {":shard": {"S": shard}}, IndexName=index) for shard in shards()]
        items = self._merged(queries, lambda item: str(item["entity_key"]["S"]), limit + 1)
        carries: Callable[[Head], bool] = (lambda h: h.dirty) if flag is StreamFlag.DIRTY else (lambda h: h.blocked)
        return _page(self._as_they_are(items, carries, limit + 1), limit)

    def statistics(self) -> StoreStatistics:
        """Return the figures; every count stops at a bound."""
        oldest = self.pending(_STREAMS_ADDED_UP, None)
        waiting = len(oldest)
        if waiting == _STREAMS_ADDED_UP:
            waiting = max(waiting, self._count(PENDING_INDEX, "pending_shard"))
        behind = sum(head.version - min(head.projected_version, head.published_version) for head in oldest)
        return StoreStatistics(
            pending_streams=waiting,
            pending_events=behind + waiting - len(oldest),
            oldest_pending_since=oldest[0].pending_since if oldest else None,
            blocked_streams=self._count(BLOCKED_INDEX, "blocked_shard"),
            dirty_streams=self._count(DIRTY_INDEX, "dirty_shard"),
        )

    def _count(self, index: str, attribute: str) -> int:
        queries = [
            self._query(
                f"{attribute} = :shard",
                {":shard": {"S": shard}},
                IndexName=index,
                Select="COUNT",
                Limit=_COUNT_PER_SHARD,
            )
            for shard in shards()
        ]
        counts = self._connection.in_parallel(lambda query: int(self._call(query)["Count"]), queries)
        return min(sum(counts), _COUNT_LIMIT)

    def _query(self, condition: str, values: Item, **more: Any) -> Item:
        return {
            "TableName": self._table,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            **more,
        }

    def _call(self, query: Item) -> Item:
        return self._connection.call("query", **query)

    def _merged(self, queries: Sequence[Item], order: Callable[[Item], Any], expected: int) -> Iterator[Item]:
        """Yield what several queries find as one list; about so many items as ``expected`` will be taken of it."""
        share = expected // len(queries)
        # A little more than its share, by as much as shards differ: seldom does one have to be asked again.
        limited = [query | {"Limit": share + 3 * isqrt(share) + 2} for query in queries]
        pages = self._connection.in_parallel(self._call, limited)
        return merge(*map(self._items, limited, pages), key=order)

    def _items(self, query: Item, page: Item | None = None) -> Iterator[Item]:
        page = page or self._call(query)
        while True:
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            page = self._call(query | {"ExclusiveStartKey": page["LastEvaluatedKey"]})

    def _as_they_are(self, items: Iterator[Item], wanted: Callable[[Head], bool], expected: int) -> Iterator[Head]:
        """Yield the heads that index items name, in that order, if they still are what the index says."""
        while part := [stream_of(item) for item in islice(items, expected)]:
            heads = self._heads.read(part)
            yield from (heads[stream] for stream in part if stream in heads and wanted(heads[stream]))


def _from(attribute: str, after: StreamKey | None) -> tuple[str, Item]:
    condition = f"{attribute} = :shard"
    return (condition, {}) if after is None else (f"{condition} AND entity_key > :after", {":after": {"S": str(after)}})


def _waits(head: Head, before: datetime | None) -> bool:
    since = head.pending_since
    return since is not None and not head.blocked and (before is None or since < before)


def _page(heads: Iterator[Head], limit: int) -> StreamPage:
    found = list(islice(heads, limit + 1))
    page = found[:limit]
    return StreamPage(page, str(page[-1].stream) if len(found) > limit else None)
