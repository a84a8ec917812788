"""The event store on Django's database connection: SQLite (WAL, IMMEDIATE transactions) or PostgreSQL."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from crm_events.adapters.sql.appending import Appender
from crm_events.adapters.sql.reading import Reader
from crm_events.adapters.sql.rows import chunks, to_microseconds, values_list
from crm_events.domain.errors import InvalidIdError
from crm_events.domain.events import StoredEvent
from crm_events.domain.heads import Head, SavedState, Watermark
from crm_events.domain.identifiers import StreamKey
from crm_events.ports.event_store import (
    MAX_EVENTS_PER_APPEND,
    AppendResult,
    EventStore,
    EventStoreUnavailableError,
    HistoryPage,
    HistoryQuery,
    InvalidCursorError,
    ReadRequest,
    StoreStatistics,
    StreamAppend,
    StreamFlag,
    StreamPage,
    TooManyEventsError,
)

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _translates_outages(method: Callable[_P, _R]) -> Callable[_P, _R]:
    @wraps(method)
    def translated(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return method(*args, **kwargs)
        except (OperationalError, InterfaceError) as error:
            raise EventStoreUnavailableError(str(error)) from error

    return translated


class SQLEventStore(EventStore):
    """Keep the log in three tables of the database with alias ``using``."""

    def __init__(self, using: str = "default") -> None:
        self._using = using

    @property
    def _connection(self) -> BaseDatabaseWrapper:
        return connections[self._using]

    @property
    def _reader(self) -> Reader:
        return Reader(self._connection)

    @_translates_outages
    def append(self, appends: Sequence[StreamAppend], now: datetime) -> list[AppendResult]:
        for append in appends:
            if len(append.events) > MAX_EVENTS_PER_APPEND:
                raise TooManyEventsError(append.stream, len(append.events))
        if not appends:
            return []
        with transaction.atomic(using=self._using):
            return Appender(self._connection, to_microseconds(now)).append(appends)

    @_translates_outages
    def read(self, requests: Sequence[ReadRequest]) -> dict[StreamKey, list[StoredEvent]]:
        return self._reader.events(requests)

    @_translates_outages
    def history(self, query: HistoryQuery) -> HistoryPage:
        return self._reader.history(query)

    @_translates_outages
    def heads(self, streams: Sequence[StreamKey]) -> dict[StreamKey, Head]:
        return self._reader.heads(streams)

    @_translates_outages
    def list_streams(self, entity_name: str, limit: int, cursor: str | None = None) -> StreamPage:
        return self._reader.stream_page("s.entity_name = %s", [entity_name], limit, _parse_cursor(cursor))

    @_translates_outages
    def entity_names(self) -> list[str]:
        return self._reader.entity_names()

    @_translates_outages
    def pending_streams(self, limit: int, before: datetime | None = None) -> list[Head]:
        return self._reader.pending(limit, None if before is None else to_microseconds(before))

    @_translates_outages
    def flagged_streams(self, flag: StreamFlag, limit: int, cursor: str | None = None) -> StreamPage:
        return self._reader.stream_page(f"s.{flag.value}", [], limit, _parse_cursor(cursor))

    @_translates_outages
    def move_watermarks(self, moves: Sequence[Watermark]) -> None:
        # Sorted, so that two projectors lock rows in the same order.
        rows = [
            (
                m.projected,
                m.projected,
                m.published,
                m.published,
                m.dirty is not None,
                m.projected,
                bool(m.dirty),
                *m.stream,
            )
            for m in sorted(moves, key=lambda move: move.stream)
        ]
        with transaction.atomic(using=self._using), self._connection.cursor() as cursor:
            # The right-hand sides see the row as it was, so the dirty guard compares with the old watermark.
            cursor.executemany(
                "UPDATE crm_events_sql_stream SET"
                " projected_version = CASE WHEN %s > projected_version THEN %s ELSE projected_version END,"
                " published_version = CASE WHEN %s > published_version THEN %s ELSE published_version END,"
                " dirty = CASE WHEN %s AND %s >= projected_version THEN %s ELSE dirty END"
                " WHERE entity_name = %s AND entity_id = %s",
                rows,
            )
            self._clear_pending([move.stream for move in moves])

    def _clear_pending(self, streams: Sequence[StreamKey]) -> None:
        self._update_streams(
            "pending_since = NULL", streams, " AND version = projected_version AND version = published_version"
        )

    def _update_streams(self, assignment: str, streams: Sequence[StreamKey], condition: str = "") -> None:
        with self._connection.cursor() as cursor:
            for part in chunks(sorted(set(streams))):
                marks, parameters = values_list(part)
                cursor.execute(
                    f"UPDATE crm_events_sql_stream SET {assignment}"
                    f" WHERE (entity_name, entity_id) IN (VALUES {marks}){condition}",
                    parameters,
                )

    @_translates_outages
    def set_blocked(self, streams: Sequence[StreamKey], blocked: bool) -> None:
        with transaction.atomic(using=self._using):
            self._update_streams(f"blocked = {'TRUE' if blocked else 'FALSE'}", streams)

    @_translates_outages
    def load_states(self, streams: Sequence[StreamKey]) -> dict[StreamKey, SavedState]:
        found: dict[StreamKey, SavedState] = {}
        with self._connection.cursor() as cursor:
            for part in chunks(sorted(set(streams))):
                marks, parameters = values_list(part)
                cursor.execute(
                    "SELECT s.entity_name, s.entity_id, t.version, t.position, t.fingerprint, t.body"
                    " FROM crm_events_sql_stream s JOIN crm_events_sql_state t ON t.stream_id = s.id"
                    f" WHERE (s.entity_name, s.entity_id) IN (VALUES {marks})",
                    parameters,
                )
                for name, entity_id, version, position, fingerprint, body in cursor.fetchall():
                    key = StreamKey(name, entity_id)
                    found[key] = SavedState(key, version, position, fingerprint, bytes(body))
        return found

    @_translates_outages
    def save_states(self, states: Sequence[SavedState]) -> None:
        rows: list[tuple[Any, ...]] = [
            (s.version, s.position, s.fingerprint, s.body, *s.stream)
            for s in sorted(states, key=lambda state: state.stream)
        ]
        with transaction.atomic(using=self._using), self._connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO crm_events_sql_state (stream_id, version, position, fingerprint, body)"
                " SELECT id, %s, %s, %s, %s FROM crm_events_sql_stream WHERE entity_name = %s AND entity_id = %s"
                " ON CONFLICT (stream_id) DO UPDATE SET version = excluded.version, position = excluded.position,"
                " fingerprint = excluded.fingerprint, body = excluded.body"
                " WHERE excluded.version >= crm_events_sql_state.version",
                rows,
            )

    @_translates_outages
    def purge_states(self, entity_name: str | None = None) -> int:
        with transaction.atomic(using=self._using), self._connection.cursor() as cursor:
            if entity_name is None:
                cursor.execute("DELETE FROM crm_events_sql_state")
            else:
                cursor.execute(
                    "DELETE FROM crm_events_sql_state WHERE stream_id IN"
                    " (SELECT id FROM crm_events_sql_stream WHERE entity_name = %s)",
                    [entity_name],
                )
            return int(cursor.rowcount)

    @_translates_outages
    def statistics(self) -> StoreStatistics:
        return self._reader.statistics()

    def ping(self) -> None:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM crm_events_sql_stream LIMIT 1")
        except DatabaseError as error:
            raise EventStoreUnavailableError(str(error)) from error


def _parse_cursor(cursor: str | None) -> StreamKey | None:
    if cursor is None:
        return None
    try:
        return StreamKey.parse(cursor)
    except InvalidIdError as error:
        raise InvalidCursorError(cursor) from error
