"""Rows that we read from Salesforce ourselves, on their way into the log; shared by backfill, repair and checks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from crm_events.cdc import RawEventError, confirmed_gone_raw, snapshot_raw
from crm_events.cdc.times import epoch_ms
from crm_events.domain.errors import InvalidIdError
from crm_events.domain.events import EventSource, EventType, NewEvent, snapshot_event_id
from crm_events.domain.identifiers import StreamKey, normalize_id
from crm_events.domain.order import OrderKey
from crm_events.folding import StreamReader, fold_stream, in_batches
from crm_events.ports.event_store import AppendOutcome, EventStore
from crm_events.record import RecordState
from crm_events.record.comparing import ColumnDifference, row_differences
from crm_events.services.appending import append_events

# Events whose streams are folded at a time, so that a page of rows with long histories does not fill the memory.
_EVENTS_AT_A_TIME = 20_000
# The rows of a batch by their streams, each with its place.
_Rows = dict[StreamKey, tuple[int, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class RowBatch:
    """Rows of one object, read together.

    ``read_start`` is Salesforce's clock, not later than the moment the read began. ``full`` says that the rows have all
    columns. ``origin`` names who read them (``run:12``), ``first_index`` the place of the first row in that reading.
    ``types`` are Salesforce's types of the columns by name.
    """

    entity_name: str
    rows: Sequence[Mapping[str, Any]]
    read_start: datetime
    source: EventSource
    origin: str
    full: bool = True
    broadcast: bool = False
    first_index: int = 0
    types: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RowsWritten:
    """What became of rows: the streams that got an event, how many said nothing new, and which had no usable id.

    ``differences`` says for each record that got an event what its row said and the log did not; of a record that the
    log did not know, or only had to be read again, it is empty.
    """

    streams: Sequence[StreamKey]
    unchanged: int
    unreadable: Sequence[str]
    differences: Mapping[StreamKey, Sequence[ColumnDifference]]


class RowWriter:
    """Append rows to their streams as SNAPSHOT events, and records that are gone as DELETE events.

    A row that says nothing new is not appended, unless the record is dirty or incomplete.
    """

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._reader = StreamReader(store, use_saved_states=True)

    def write(self, batch: RowBatch, now: datetime) -> RowsWritten:
        """Append what is new.

        :raises EventStoreUnavailableError: the log is down; writing the same batch again is harmless.
        """
        rows, unreadable = _by_stream(batch)
        planned = self._plan(batch, rows, unreadable)
        read_start = _milliseconds(batch.read_start)
        events = [_snapshot(batch, stream, *rows[stream], read_start) for stream in planned.streams]
        appended = append_events(self._store, events, now)
        written = [event.stream for event in events if appended[id(event)].outcome is not AppendOutcome.DUPLICATE]
        return replace(planned, streams=written)

    def plan(self, batch: RowBatch) -> RowsWritten:
        """Say what ``write`` would do; nothing is appended."""
        rows, unreadable = _by_stream(batch)
        return self._plan(batch, rows, unreadable)

    def write_gone(
        self, streams: Sequence[StreamKey], read_start: datetime, source: EventSource, origin: str, now: datetime
    ) -> list[StreamKey]:
        """Append our own DELETE to records of which Salesforce, asked at ``read_start``, said that they are gone.

        Returns the streams that got one; a record that is known as gone already gets none.
        """
        milliseconds = _milliseconds(read_start)
        states = self._states(streams)
        events = [
            _gone(stream, milliseconds, source, origin, index)
            for index, stream in enumerate(streams)
            if not _is_known_as_gone(states.get(stream))
        ]
        append_events(self._store, events, now)
        return [event.stream for event in events]

    def not_gone(self, streams: Sequence[StreamKey]) -> list[StreamKey]:
        """Return those of the streams that the log does not know as deleted."""
        states = self._states(streams)
        return [stream for stream in streams if not _is_known_as_gone(states.get(stream))]

    def _plan(self, batch: RowBatch, rows: _Rows, unreadable: Sequence[str]) -> RowsWritten:
        found: dict[StreamKey, Sequence[ColumnDifference]] = {}
        states = self._states(list(rows))
        for stream, (_, row) in rows.items():
            state = states.get(stream)
            differences = row_differences(state, row, batch.types) if state is not None else ()
            if differences or state is None or state.is_dirty or not state.complete:
                found[stream] = differences
        return RowsWritten(list(found), len(rows) - len(found), unreadable, found)

    def _states(self, streams: Collection[StreamKey]) -> dict[StreamKey, RecordState]:
        """Return the records as they are in the log, without those that it does not know or cannot fold."""
        heads = self._store.heads(list(streams))
        states: dict[StreamKey, RecordState] = {}
        for some in in_batches(heads.values(), _EVENTS_AT_A_TIME):
            for stream, (base, events) in self._reader.read(some).items():
                try:
                    states[stream] = fold_stream(heads[stream], base, events).current
                except RawEventError:
                    continue  # a row says what its events cannot
        return states


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _by_stream(batch: RowBatch) -> tuple[_Rows, list[str]]:
    rows: _Rows = {}
    unreadable = []
    for index, row in enumerate(batch.rows, batch.first_index):
        try:
            rows[StreamKey(batch.entity_name, normalize_id(str(row.get("Id"))))] = (index, row)
        except InvalidIdError as error:
            unreadable.append(str(error))
    return rows, unreadable


def _snapshot(batch: RowBatch, stream: StreamKey, index: int, row: Mapping[str, Any], read_start: int) -> NewEvent:
    key = OrderKey.of_snapshot(read_start, epoch_ms(row.get("SystemModstamp")))
    return NewEvent(
        stream=stream,
        event_type=EventType.SNAPSHOT,
        order_key=key,
        event_id=snapshot_event_id(batch.source, stream, key),
        source=batch.source,
        raw=snapshot_raw(stream, row, read_start=read_start, full=batch.full, broadcast=batch.broadcast),
        delivery_id=batch.origin,
        delivery_index=index,
    )


def _gone(stream: StreamKey, read_start: int, source: EventSource, origin: str, index: int) -> NewEvent:
    key = OrderKey.of_snapshot(read_start, None)
    return NewEvent(
        stream=stream,
        event_type=EventType.DELETE,
        order_key=key,
        event_id=snapshot_event_id(source, stream, key),
        source=source,
        raw=confirmed_gone_raw(stream, read_start=read_start),
        delivery_id=origin,
        delivery_index=index,
    )


def _is_known_as_gone(state: RecordState | None) -> bool:
    return state is not None and state.is_deleted and not state.is_dirty
