"""How events are read: whole streams by replay order, and pages of a history in either order."""

from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any

from crm_events.adapters.dynamodb.batches import batch_get
from crm_events.adapters.dynamodb.connection import Connection
from crm_events.adapters.dynamodb.histories import Bounds, arrival_place, bounds_of, parse_arrival, parse_fold
from crm_events.adapters.dynamodb.items import Item, event_of, part_keys, stream_of, version_of
from crm_events.adapters.dynamodb.tables import LATE_INDEX, Tables
from crm_events.domain.events import StoredEvent
from crm_events.domain.identifiers import StreamKey
from crm_events.ports.event_store import EventStoreError, HistoryOrder, HistoryPage, HistoryQuery, ReadRequest

_OF_STREAM = "entity_key = :stream"


class DamagedEventError(EventStoreError):
    """An event is there, but not all of its payload."""

    def __init__(self, stream: StreamKey, position: str) -> None:
        super().__init__(stream, position)
        self.stream, self.position = stream, position

    def __str__(self) -> str:
        return f"Of the event {self.position} of {self.stream} a part of the payload is missing in the log."


class EventReader:
    """Read events; every read is strongly consistent."""

    def __init__(self, connection: Connection, tables: Tables) -> None:
        self._connection = connection
        self._table = tables.events

    def read(self, requests: Sequence[ReadRequest]) -> dict[StreamKey, list[StoredEvent]]:
        """Return the requested events in fold order, several streams at a time."""
        found = self._connection.in_parallel(self._items_of, requests)
        events = iter(self._events([item for items in found for item in items]))
        return {
            request.stream: list(islice(events, len(items))) for request, items in zip(requests, found, strict=True)
        }

    def _items_of(self, request: ReadRequest) -> list[Item]:
        condition, values = _OF_STREAM, {":stream": {"S": str(request.stream)}}
        if request.after_position:
            condition += " AND event_position > :after"
            values[":after"] = {"S": request.after_position}
        bound = request.up_to_version
        items = self._query(KeyConditionExpression=condition, ExpressionAttributeValues=values)
        return [item for item in items if bound is None or version_of(item) <= bound]

    def history(self, query: HistoryQuery) -> HistoryPage:
        """Return one page of a stream's events."""
        if query.order is HistoryOrder.ARRIVAL:
            return self._by_arrival(query)
        place = None if query.cursor is None else parse_fold(query.cursor)
        found = list(islice(self._by_position(query, bounds_of(query, place)), query.limit + 1))
        events = self._events(found[: query.limit])
        return HistoryPage(events, events[-1].position if len(found) > query.limit else None)

    def _by_position(self, query: HistoryQuery, bounds: Bounds) -> Iterator[Item]:
        if bounds.low > bounds.high:
            return
        values = {":stream": {"S": str(query.stream)}, ":low": {"S": bounds.low}, ":high": {"S": bounds.high}}
        items = self._query(
            KeyConditionExpression=f"{_OF_STREAM} AND event_position BETWEEN :low AND :high",
            ExpressionAttributeValues=values,
            ScanIndexForward=not query.descending,
            Limit=query.limit + 2,
        )
        yield from (item for item in items if item["event_position"]["S"] != bounds.passed)

    def _by_arrival(self, query: HistoryQuery) -> HistoryPage:
        """Return a page by version, without an index of all versions, which every event would have to pay for.

        Events that came in time stand in the order of their versions as they stand in fold order: each was newer
        than all before it. Only late ones stand elsewhere, and these have an index; so two lists are merged.
        """
        version, place = (None, None) if query.cursor is None else parse_arrival(query.cursor)
        in_time = (i for i in self._by_position(query, bounds_of(query, place)) if "late_version" not in i)
        items = merge(in_time, self._late(query, version), key=version_of, reverse=query.descending)
        found = list(islice(items, query.limit + 1))
        page = found[: query.limit]
        passed = [item["event_position"]["S"] for item in page if "late_version" not in item]
        cursor = arrival_place(version_of(page[-1]), passed[-1] if passed else place or "") if page else None
        return HistoryPage(self._events(page), cursor if len(found) > query.limit else None)

    def _late(self, query: HistoryQuery, version: int | None) -> Iterator[Item]:
        condition, values = _OF_STREAM, {":stream": {"S": str(query.stream)}}
        if version is not None:
            condition += f" AND late_version {'<' if query.descending else '>'} :version"
            values[":version"] = {"N": str(version)}
        bounds = bounds_of(query, None)
        items = self._query(
            IndexName=LATE_INDEX,
            Select="ALL_ATTRIBUTES",
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ScanIndexForward=not query.descending,
            Limit=query.limit + 1,
        )
        yield from (item for item in items if bounds.low <= item["event_position"]["S"] <= bounds.high)

    def _query(self, **query: Any) -> Iterator[Item]:
        while True:
            page = self._connection.call("query", TableName=self._table, ConsistentRead=True, **query)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _events(self, items: Sequence[Item]) -> list[StoredEvent]:
        keys = [key for item in items for key in part_keys(item)]
        parts = {_place(part): part["payload"]["B"] for part in batch_get(self._connection, self._table, _unique(keys))}
        return [event_of(item, _payload_of(item, parts)) for item in items]


def _payload_of(item: Item, parts: dict[tuple[str, str], bytes]) -> bytes:
    keys = part_keys(item)
    if not keys:
        payload: bytes = item["payload"]["B"]
        return payload
    try:
        return b"".join(parts[_place(key)] for key in keys)
    except KeyError as error:
        raise DamagedEventError(stream_of(item), item["event_position"]["S"]) from error


_place_values = itemgetter("entity_key", "event_position")


def _place(item: Item) -> tuple[str, str]:
    stream, position = _place_values(item)
    return stream["S"], position["S"]


def _unique(keys: Sequence[Item]) -> list[Item]:
    return list({_place(key): key for key in keys}.values())
