"""An event store in memory, for tests and trials; it keeps the promises of the port and forgets all when it ends."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from threading import RLock

from crm_events.domain.errors import InvalidIdError
from crm_events.domain.events import NewEvent, StoredEvent
from crm_events.domain.heads import Head, SavedState, Watermark
from crm_events.domain.identifiers import StreamKey
from crm_events.domain.order import OrderKey
from crm_events.ports.event_store import (
    MAX_EVENTS_PER_APPEND,
    Appended,
    AppendOutcome,
    AppendResult,
    EventStore,
    HistoryOrder,
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


class MemoryEventStore(EventStore):
    """Keep everything in dictionaries behind one lock."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._heads: dict[StreamKey, Head] = {}
        self._events: dict[StreamKey, dict[str, StoredEvent]] = defaultdict(dict)
        self._states: dict[StreamKey, SavedState] = {}

    def append(self, appends: Sequence[StreamAppend], now: datetime) -> list[AppendResult]:
        for append in appends:
            if len(append.events) > MAX_EVENTS_PER_APPEND:
                raise TooManyEventsError(append.stream, len(append.events))
        with self._lock:
            return [self._append_one(append, now) for append in appends]

    def _append_one(self, append: StreamAppend, now: datetime) -> AppendResult:
        head = self._heads.get(append.stream, Head(append.stream, 0, ""))
        if append.expected_version not in (None, head.version):
            return AppendResult(append.stream, conflict=head.version)
        self._heads[append.stream] = head
        return AppendResult(append.stream, [self._append_event(event, now) for event in append.events])

    def _append_event(self, event: NewEvent, now: datetime) -> Appended:
        known = self._events[event.stream].get(event.position)
        if known is not None:
            return _outcome_of_repeat(known, event)
        head = self._heads[event.stream]
        late = event.position < head.newest_position
        stored = StoredEvent(event, head.version + 1, now, late)
        self._events[event.stream][event.position] = stored
        self._heads[event.stream] = replace(
            head,
            version=stored.version,
            newest_position=max(head.newest_position, event.position),
            pending_since=head.pending_since or now,
        )
        return Appended(AppendOutcome.LATE if late else AppendOutcome.RECORDED, stored.version)

    def read(self, requests: Sequence[ReadRequest]) -> dict[StreamKey, list[StoredEvent]]:
        with self._lock:
            return {request.stream: self._read_one(request) for request in requests}

    def _read_one(self, request: ReadRequest) -> list[StoredEvent]:
        events = sorted(self._events.get(request.stream, {}).items())
        bound = request.up_to_version
        return [
            event
            for position, event in events
            if position > request.after_position and (bound is None or event.version <= bound)
        ]

    def history(self, query: HistoryQuery) -> HistoryPage:
        by_version = query.order is HistoryOrder.ARRIVAL
        key: Callable[[StoredEvent], str] = (lambda e: f"{e.version:019d}") if by_version else (lambda e: e.position)
        cursor = None if query.cursor is None else _history_cursor(query.cursor, by_version=by_version)
        with self._lock:
            events = [event for event in self._events.get(query.stream, {}).values() if _within(event, query)]
        events.sort(key=key, reverse=query.descending)
        if cursor is not None:
            events = [e for e in events if (key(e) < cursor if query.descending else key(e) > cursor)]
        page = events[: query.limit]
        return HistoryPage(page, key(page[-1]) if len(events) > query.limit else None)

    def heads(self, streams: Sequence[StreamKey]) -> dict[StreamKey, Head]:
        with self._lock:
            return {stream: self._heads[stream] for stream in streams if stream in self._heads}

    def list_streams(self, entity_name: str, limit: int, cursor: str | None = None) -> StreamPage:
        return self._page(lambda head: head.stream.entity_name == entity_name, limit, cursor)

    def _page(self, wanted: Callable[[Head], bool], limit: int, cursor: str | None) -> StreamPage:
        after = _parse_cursor(cursor)
        with self._lock:
            heads = sorted((head for head in self._heads.values() if wanted(head)), key=lambda head: head.stream)
        if after is not None:
            heads = [head for head in heads if head.stream > after]
        page = heads[:limit]
        return StreamPage(page, str(page[-1].stream) if len(heads) > limit else None)

    def entity_names(self) -> list[str]:
        with self._lock:
            return sorted({stream.entity_name for stream in self._heads})

    def pending_streams(self, limit: int, before: datetime | None = None) -> list[Head]:
        with self._lock:
            waiting = [
                (head.pending_since, head.stream, head)
                for head in self._heads.values()
                if head.pending_since is not None
                and not head.blocked
                and (before is None or head.pending_since < before)
            ]
        return [head for _, _, head in sorted(waiting, key=lambda entry: entry[:2])[:limit]]

    def flagged_streams(self, flag: StreamFlag, limit: int, cursor: str | None = None) -> StreamPage:
        return self._page(lambda head: head.dirty if flag is StreamFlag.DIRTY else head.blocked, limit, cursor)

    def move_watermarks(self, moves: Sequence[Watermark]) -> None:
        with self._lock:
            for move in moves:
                if move.stream in self._heads:
                    self._heads[move.stream] = self._heads[move.stream].moved(move)

    def set_blocked(self, streams: Sequence[StreamKey], blocked: bool) -> None:
        with self._lock:
            for stream in streams:
                if stream in self._heads:
                    self._heads[stream] = replace(self._heads[stream], blocked=blocked)

    def load_states(self, streams: Sequence[StreamKey]) -> dict[StreamKey, SavedState]:
        with self._lock:
            return {stream: self._states[stream] for stream in streams if stream in self._states}

    def save_states(self, states: Sequence[SavedState]) -> None:
        with self._lock:
            for state in states:
                kept = self._states.get(state.stream)
                if state.stream in self._heads and (kept is None or kept.version <= state.version):
                    self._states[state.stream] = state

    def purge_states(self, entity_name: str | None = None) -> int:
        with self._lock:
            gone = [key for key in self._states if entity_name in (None, key.entity_name)]
            for key in gone:
                del self._states[key]
            return len(gone)

    def statistics(self) -> StoreStatistics:
        with self._lock:
            heads = list(self._heads.values())
        waiting = [head for head in heads if head.pending_since is not None and not head.blocked]
        return StoreStatistics(
            pending_streams=len(waiting),
            blocked_streams=sum(head.blocked for head in heads),
            dirty_streams=sum(head.dirty for head in heads),
            pending_events=sum(h.version - min(h.projected_version, h.published_version) for h in waiting),
            oldest_pending_since=min((h.pending_since for h in waiting if h.pending_since), default=None),
        )

    def ping(self) -> None:
        return None


def _outcome_of_repeat(known: StoredEvent, event: NewEvent) -> Appended:
    first = known.event
    if (first.delivery_id, first.delivery_index) != (event.delivery_id, event.delivery_index):
        return Appended(AppendOutcome.DUPLICATE, known.version)
    return Appended(AppendOutcome.LATE if known.late else AppendOutcome.RECORDED, known.version)


def _within(event: StoredEvent, query: HistoryQuery) -> bool:
    moment = event.event.order_key.commit_timestamp
    return (query.since_ms is None or moment >= query.since_ms) and (query.until_ms is None or moment < query.until_ms)


def _history_cursor(cursor: str, *, by_version: bool) -> str:
    if by_version:
        if not (cursor.isascii() and cursor.isdigit()):
            raise InvalidCursorError(cursor)
        return cursor.zfill(19)
    try:
        OrderKey.parse(cursor.partition("#")[0])
    except ValueError as error:
        raise InvalidCursorError(cursor) from error
    return cursor


def _parse_cursor(cursor: str | None) -> StreamKey | None:
    if cursor is None:
        return None
    try:
        return StreamKey.parse(cursor)
    except InvalidIdError as error:
        raise InvalidCursorError(cursor) from error
