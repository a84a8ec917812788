"""How events get into the tables: heads locked, repeats found, everything written with a few statements."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from crm_events.adapters.sql.rows import chunks, values_list
from crm_events.domain.events import NewEvent
from crm_events.domain.identifiers import StreamKey
from crm_events.ports.event_store import Appended, AppendOutcome, AppendResult, StreamAppend


@dataclass(slots=True)
class _Known:
    """An event already in the log, as far as deciding about a repeat needs it."""

    version: int
    delivery: tuple[str, int]
    late: bool

    def outcome_of_repeat(self, event: NewEvent) -> Appended:
        if (event.delivery_id, event.delivery_index) != self.delivery:
            return Appended(AppendOutcome.DUPLICATE, self.version)
        # The same item again, after a crash between append and answer: it is what it was the first time.
        return Appended(AppendOutcome.LATE if self.late else AppendOutcome.RECORDED, self.version)


@dataclass(slots=True)
class _Stream:
    """The locked head of a stream while events are added to it."""

    row_id: int
    version: int
    newest: str
    known: dict[str, _Known] = field(default_factory=dict)
    changed: bool = False


class Appender:
    """Append to many streams within the caller's transaction, which must be open."""

    def __init__(self, connection: BaseDatabaseWrapper, now_us: int) -> None:
        self._connection = connection
        self._now_us = now_us
        self._rows: list[tuple[Any, ...]] = []

    def append(self, appends: Sequence[StreamAppend]) -> list[AppendResult]:
        """Write what is new and say what became of everything."""
        streams = self._lock_streams(sorted({append.stream for append in appends}))
        # Worked out once: every event is looked for by its position before it is written under it.
        positions = [[event.position for event in append.events] for append in appends]
        self._find_repeats(streams, appends, positions)
        results = [
            self._append_one(streams[append.stream], append, part)
            for append, part in zip(appends, positions, strict=True)
        ]
        self._write(streams)
        return results

    def _lock_streams(self, keys: Sequence[StreamKey]) -> dict[StreamKey, _Stream]:
        found = self._select_streams(keys)
        missing = [key for key in keys if key not in found]
        if missing:
            self._insert_streams(missing)
            found |= self._select_streams(missing)
        return found

    def _select_streams(self, keys: Sequence[StreamKey]) -> dict[StreamKey, _Stream]:
        # SQLite needs no row lock: its IMMEDIATE transaction is the only writer. The order avoids deadlocks.
        lock = " ORDER BY id FOR UPDATE" if self._connection.vendor == "postgresql" else ""
        found: dict[StreamKey, _Stream] = {}
        with self._connection.cursor() as cursor:
            for part in chunks(keys):
                marks, parameters = values_list(part)
                cursor.execute(
                    "SELECT entity_name, entity_id, id, version, newest_position FROM crm_events_sql_stream"
                    f" WHERE (entity_name, entity_id) IN (VALUES {marks}){lock}",
                    parameters,
                )
                for name, entity_id, row_id, version, newest in cursor.fetchall():
                    found[StreamKey(name, entity_id)] = _Stream(row_id, version, newest)
        return found

    def _insert_streams(self, keys: Sequence[StreamKey]) -> None:
        with self._connection.cursor() as cursor:
            for part in chunks(keys, 2_000):
                marks, parameters = values_list([(*key, 0, "", 0, 0, False, False) for key in part])
                cursor.execute(
                    "INSERT INTO crm_events_sql_stream (entity_name, entity_id, version, newest_position,"
                    f" projected_version, published_version, dirty, blocked) VALUES {marks} ON CONFLICT DO NOTHING",
                    parameters,
                )

    def _find_repeats(
        self, streams: dict[StreamKey, _Stream], appends: Sequence[StreamAppend], positions: Sequence[Sequence[str]]
    ) -> None:
        # Only a position that is not newer than the stream's newest can be there already.
        suspects = [
            (stream.row_id, position)
            for stream, part in zip((streams[append.stream] for append in appends), positions, strict=True)
            for position in part
            if position <= stream.newest
        ]
        by_id = {stream.row_id: stream for stream in streams.values()}
        with self._connection.cursor() as cursor:
            for part in chunks(suspects):
                marks, parameters = values_list(part)
                cursor.execute(
                    "SELECT stream_id, position, version, delivery_id, delivery_index, late"
                    f" FROM crm_events_sql_event WHERE (stream_id, position) IN (VALUES {marks})",
                    parameters,
                )
                for row_id, position, version, delivery_id, index, late in cursor.fetchall():
                    by_id[row_id].known[position] = _Known(version, (delivery_id, index), bool(late))

    def _append_one(self, stream: _Stream, append: StreamAppend, positions: Sequence[str]) -> AppendResult:
        if append.expected_version is not None and append.expected_version != stream.version:
            return AppendResult(append.stream, conflict=stream.version)
        placed = zip(append.events, positions, strict=True)
        return AppendResult(append.stream, [self._append_event(stream, event, position) for event, position in placed])

    def _append_event(self, stream: _Stream, event: NewEvent, position: str) -> Appended:
        if known := stream.known.get(position):
            return known.outcome_of_repeat(event)
        late = position < stream.newest
        stream.version += 1
        stream.newest = max(stream.newest, position)
        stream.changed = True
        delivery = (event.delivery_id, event.delivery_index)
        stream.known[position] = _Known(stream.version, delivery, late)
        self._rows.append(
            (
                stream.row_id,
                position,
                stream.version,
                str(event.event_type),
                str(event.source),
                late,
                self._now_us,
                *delivery,
                event.raw,
            )
        )
        return Appended(AppendOutcome.LATE if late else AppendOutcome.RECORDED, stream.version)

    def _write(self, streams: dict[StreamKey, _Stream]) -> None:
        heads = [(s.version, s.newest, self._now_us, s.row_id) for s in streams.values() if s.changed]
        if not heads:
            return
        with self._connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO crm_events_sql_event (stream_id, position, version, event_type, source, late,"
                " recorded_at, delivery_id, delivery_index, raw) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                self._rows,
            )
            cursor.executemany(
                "UPDATE crm_events_sql_stream SET version = %s, newest_position = %s,"
                " pending_since = COALESCE(pending_since, %s) WHERE id = %s",
                heads,
            )
