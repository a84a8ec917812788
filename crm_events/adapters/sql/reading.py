"""How events and heads are read: by many keys at once, or in keyset pages."""

from collections.abc import Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from crm_events.adapters.sql.rows import (
    EVENT_COLUMNS,
    HEAD_COLUMNS,
    chunks,
    event_of,
    from_microseconds,
    head_of,
    values_list,
)
from crm_events.domain.events import StoredEvent
from crm_events.domain.heads import Head
from crm_events.domain.identifiers import StreamKey
from crm_events.domain.order import OrderKey
from crm_events.ports.event_store import (
    HistoryOrder,
    HistoryPage,
    HistoryQuery,
    InvalidCursorError,
    ReadRequest,
    StoreStatistics,
    StreamPage,
)

_NO_LIMIT = 2**62
_COUNT_LIMIT = 10_000
_VERSION_DIGITS = 18


class Reader:
    """Run the event store's queries on one connection."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self._connection = connection

    def _rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def _join(self) -> str:
        # CROSS JOIN makes SQLite begin with the short list; elsewhere the planner sees that by itself.
        return "CROSS JOIN" if self._connection.vendor == "sqlite" else "JOIN"

    def heads(self, streams: Sequence[StreamKey]) -> dict[StreamKey, Head]:
        """Return the heads that exist."""
        found: dict[StreamKey, Head] = {}
        for part in chunks(sorted(set(streams))):
            marks, parameters = values_list(part)
            for row in self._rows(
                f"SELECT {HEAD_COLUMNS} FROM crm_events_sql_stream s"
                f" WHERE (s.entity_name, s.entity_id) IN (VALUES {marks})",
                parameters,
            ):
                head = head_of(row)
                found[head.stream] = head
        return found

    def events(self, requests: Sequence[ReadRequest]) -> dict[StreamKey, list[StoredEvent]]:
        """Return the requested events in fold order."""
        found: dict[StreamKey, list[StoredEvent]] = {request.stream: [] for request in requests}
        join = self._join()
        for part in chunks(requests):
            marks, parameters = values_list(
                [(*r.stream, r.after_position, _NO_LIMIT if r.up_to_version is None else r.up_to_version) for r in part]
            )
            for row in self._rows(
                f"WITH r(entity_name, entity_id, after, up_to) AS (VALUES {marks})"
                f" SELECT {EVENT_COLUMNS} FROM r"
                f" {join} crm_events_sql_stream s ON s.entity_name = r.entity_name AND s.entity_id = r.entity_id"
                f" {join} crm_events_sql_event e ON e.stream_id = s.id AND e.position > r.after"
                # The plus keeps SQLite from the index by version, by which it would go through the whole stream.
                " AND +e.version <= r.up_to ORDER BY s.id, e.position",
                parameters,
            ):
                event = event_of(row)
                found[event.event.stream].append(event)
        return found

    def history(self, query: HistoryQuery) -> HistoryPage:
        """Return one page of a stream's events."""
        by_version = query.order is HistoryOrder.ARRIVAL
        column = "e.version" if by_version else "e.position"
        conditions, parameters = _history_bounds(query)
        if query.cursor is not None:
            conditions.append(f"{column} {'<' if query.descending else '>'} %s")
            parameters.append(_history_cursor(query.cursor, by_version=by_version))
        rows = self._rows(
            f"SELECT {EVENT_COLUMNS} FROM crm_events_sql_stream s"
            f" JOIN crm_events_sql_event e ON e.stream_id = s.id WHERE {' AND '.join(conditions)}"
            f" ORDER BY {column} {'DESC' if query.descending else 'ASC'} LIMIT %s",
            [*parameters, query.limit + 1],
        )
        events = [event_of(row) for row in rows[: query.limit]]
        if len(rows) <= query.limit:
            return HistoryPage(events, None)
        return HistoryPage(events, str(events[-1].version) if by_version else events[-1].position)

    def stream_page(self, condition: str, parameters: Sequence[Any], limit: int, after: StreamKey | None) -> StreamPage:
        """Return a page of heads in key order."""
        bounds = list(parameters)
        if after is not None:
            condition += " AND (s.entity_name, s.entity_id) > (%s, %s)"
            bounds += after
        rows = self._rows(
            f"SELECT {HEAD_COLUMNS} FROM crm_events_sql_stream s WHERE {condition}"
            " ORDER BY s.entity_name, s.entity_id LIMIT %s",
            [*bounds, limit + 1],
        )
        heads = [head_of(row) for row in rows[:limit]]
        return StreamPage(heads, str(heads[-1].stream) if len(rows) > limit else None)

    def pending(self, limit: int, before_us: int | None) -> list[Head]:
        """Return pending heads that are not blocked, longest waiting first."""
        rows = self._rows(
            f"SELECT {HEAD_COLUMNS} FROM crm_events_sql_stream s WHERE s.pending_since IS NOT NULL"
            " AND NOT s.blocked AND s.pending_since < %s ORDER BY s.pending_since, s.id LIMIT %s",
            [_NO_LIMIT if before_us is None else before_us, limit],
        )
        return [head_of(row) for row in rows]

    def entity_names(self) -> list[str]:
        """Return all object names, hopping from one to the next through the index instead of reading every stream."""
        names: list[str] = []
        while True:
            rows = self._rows(
                "SELECT MIN(entity_name) FROM crm_events_sql_stream WHERE entity_name > %s",
                [names[-1] if names else ""],
            )
            if rows[0][0] is None:
                return names
            names.append(rows[0][0])

    def statistics(self) -> StoreStatistics:
        """Return the figures; every count stops at a bound."""
        pending, events, oldest = self._rows(
            "SELECT COUNT(*), COALESCE(SUM(behind), 0), MIN(pending_since) FROM ("
            "SELECT pending_since, version - CASE WHEN projected_version < published_version THEN projected_version"
            " ELSE published_version END AS behind FROM crm_events_sql_stream"
            " WHERE pending_since IS NOT NULL AND NOT blocked ORDER BY pending_since, id LIMIT %s) p",
            [_COUNT_LIMIT],
        )[0]
        return StoreStatistics(
            pending_streams=pending,
            pending_events=int(events),
            oldest_pending_since=None if oldest is None else from_microseconds(oldest),
            blocked_streams=self._count_flagged("blocked"),
            dirty_streams=self._count_flagged("dirty"),
        )

    def _count_flagged(self, column: str) -> int:
        rows = self._rows(
            f"SELECT COUNT(*) FROM (SELECT 1 FROM crm_events_sql_stream WHERE {column} LIMIT %s) f",
            [_COUNT_LIMIT],
        )
        count: int = rows[0][0]
        return count


def _history_bounds(query: HistoryQuery) -> tuple[list[str], list[Any]]:
    conditions = ["s.entity_name = %s", "s.entity_id = %s"]
    parameters: list[Any] = list(query.stream)
    for operator, bound in ((">=", query.since_ms), ("<", query.until_ms)):
        if bound is not None:
            # A position begins with its commit timestamp, so a bare timestamp stands before all events of that time.
            conditions.append(f"e.position {operator} %s")
            parameters.append(str(OrderKey(max(bound, 0), 0, 0)).partition("-")[0])
    return conditions, parameters


def _history_cursor(cursor: str, *, by_version: bool) -> int | str:
    if by_version:
        if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _VERSION_DIGITS):
            raise InvalidCursorError(cursor)
        return int(cursor)
    try:
        OrderKey.parse(cursor.partition("#")[0])
    except ValueError as error:
        raise InvalidCursorError(cursor) from error
    return cursor
