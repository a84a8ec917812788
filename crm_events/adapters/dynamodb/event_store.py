"""The event store on DynamoDB."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

from crm_events.adapters.dynamodb.appending import Appender
from crm_events.adapters.dynamodb.connection import Connection
from crm_events.adapters.dynamodb.heads import Heads
from crm_events.adapters.dynamodb.provisioning import Provisioner
from crm_events.adapters.dynamodb.reading import EventReader
from crm_events.adapters.dynamodb.states import States
from crm_events.adapters.dynamodb.tables import NAMES_PARTITION, Tables
from crm_events.adapters.dynamodb.walking import Walker
from crm_events.domain.errors import InvalidIdError
from crm_events.domain.events import StoredEvent
from crm_events.domain.heads import Head, SavedState, Watermark
from crm_events.domain.identifiers import StreamKey
from crm_events.ports.event_store import (
    MAX_EVENTS_PER_APPEND,
    AppendResult,
    EventStore,
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
from crm_events.ports.provisioning import Finding, Provisioned

_T = TypeVar("_T")


class DynamoDBEventStore(EventStore, Provisioned):
    """Keep the log in the tables ``<table_prefix>-events``, ``-streams`` and ``-states``.

    Nothing connects before the first call. Region, credentials and endpoint are boto3's own settings. With
    ``change_stream`` the provisioned table of events has a DynamoDB stream, for others to read; nothing here does.
    """

    def __init__(
        self, table_prefix: str = "crm", connection: Connection | None = None, *, change_stream: bool = True
    ) -> None:
        self._connection = connection or Connection()
        self._tables = Tables(table_prefix, change_stream=change_stream)
        self._heads = Heads(self._connection, self._tables)
        self._reader = EventReader(self._connection, self._tables)
        self._walker = Walker(self._connection, self._tables, self._heads)
        self._states = States(self._connection, self._tables)

    def append(self, appends: Sequence[StreamAppend], now: datetime) -> list[AppendResult]:
        for append in appends:
            if len(append.events) > MAX_EVENTS_PER_APPEND:
                raise TooManyEventsError(append.stream, len(append.events))
        results: dict[int, AppendResult] = {}
        for places in _rounds(range(len(appends)), lambda place: appends[place].stream):
            appender = Appender(self._connection, self._tables, self._heads, now)
            found = appender.append([appends[place] for place in places])
            results |= {place: found[appends[place].stream] for place in places}
        return [results[place] for place in range(len(appends))]

    def read(self, requests: Sequence[ReadRequest]) -> dict[StreamKey, list[StoredEvent]]:
        return self._reader.read(requests)

    def history(self, query: HistoryQuery) -> HistoryPage:
        return self._reader.history(query)

    def heads(self, streams: Sequence[StreamKey]) -> dict[StreamKey, Head]:
        return self._heads.read(streams)

    def list_streams(self, entity_name: str, limit: int, cursor: str | None = None) -> StreamPage:
        return self._walker.list_streams(entity_name, limit, _parse_cursor(cursor))

    def entity_names(self) -> list[str]:
        return self._walker.entity_names()

    def pending_streams(self, limit: int, before: datetime | None = None) -> list[Head]:
        return self._walker.pending(limit, before)

    def flagged_streams(self, flag: StreamFlag, limit: int, cursor: str | None = None) -> StreamPage:
        return self._walker.flagged(flag, limit, _parse_cursor(cursor))

    def move_watermarks(self, moves: Sequence[Watermark]) -> None:
        for part in _rounds(moves, lambda move: move.stream):
            self._heads.move_watermarks(part)

    def set_blocked(self, streams: Sequence[StreamKey], blocked: bool) -> None:
        self._heads.set_blocked(streams, blocked)

    def load_states(self, streams: Sequence[StreamKey]) -> dict[StreamKey, SavedState]:
        return self._states.load(streams)

    def save_states(self, states: Sequence[SavedState]) -> None:
        for part in _rounds(states, lambda state: state.stream):
            self._states.save(part)

    def purge_states(self, entity_name: str | None = None) -> int:
        return self._states.purge(self.entity_names() if entity_name is None else [entity_name])

    def statistics(self) -> StoreStatistics:
        return self._walker.statistics()

    def ping(self) -> None:
        key = {"entity_shard": {"S": NAMES_PARTITION}, "entity_key": {"S": "ping"}}
        self._connection.call("get_item", TableName=self._tables.streams, Key=key)

    def verify(self) -> Sequence[Finding]:
        return self._provisioner.verify()

    def provision(self) -> Sequence[Finding]:
        return self._provisioner.provision()

    @property
    def _provisioner(self) -> Provisioner:
        return Provisioner(self._connection, self._tables)


def _rounds(items: Sequence[_T], stream_of: Callable[[_T], StreamKey]) -> Iterator[list[_T]]:
    """Cut items so that none of a part is about the same stream as another, and each stream's keep their order."""
    by_stream: dict[StreamKey, list[_T]] = defaultdict(list)
    for item in items:
        by_stream[stream_of(item)].append(item)
    for number in range(max(map(len, by_stream.values()), default=0)):
        yield [part[number] for part in by_stream.values() if number < len(part)]


def _parse_cursor(cursor: str | None) -> StreamKey | None:
    if cursor is None:
        return None
    try:
        return StreamKey.parse(cursor)
    except InvalidIdError as error:
        raise InvalidCursorError(cursor) from error
