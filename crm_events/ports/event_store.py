"""The log of raw events and the heads of its streams."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from crm_events.domain.errors import CrmError, EngineUnavailableError
from crm_events.domain.events import NewEvent, StoredEvent
from crm_events.domain.heads import Head, SavedState, Watermark
from crm_events.domain.identifiers import StreamKey

# An append to one stream is one transaction; DynamoDB takes 100 actions in one, and the head is one of them.
MAX_EVENTS_PER_APPEND = 99


class EventStoreError(CrmError):
    """Base of the errors of an event store."""


class EventStoreUnavailableError(EventStoreError, EngineUnavailableError):
    """The store does not answer or refuses for now; the same call may succeed later."""


class TooManyEventsError(EventStoreError):
    """One append holds more events than a transaction can; split it."""


class InvalidCursorError(EventStoreError):
    """A cursor is not one that this store gave for such a query."""


class AppendOutcome(StrEnum):
    """What became of one event."""

    RECORDED = "recorded"
    LATE = "late"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class StreamAppend:
    """Events for one stream, in order of arrival, to be written all or none.

    ``expected_version`` is the version the writer believes the stream has; ``None`` appends whatever it is.
    """

    stream: StreamKey
    events: Sequence[NewEvent]
    expected_version: int | None = None


# Not frozen, though nobody changes one: freezing makes each several times as costly, and every event makes one.
@dataclass(slots=True, unsafe_hash=True)
class Appended:
    """What became of one event of an append: its outcome and its version in the stream.

    A duplicate names the version of the event that was there first.
    """

    outcome: AppendOutcome
    version: int


@dataclass(frozen=True, slots=True)
class AppendResult:
    """What became of one stream's append: one ``Appended`` for each event, or a conflict and nothing written.

    ``conflict`` is the version the stream really has when it was not the expected one.
    """

    stream: StreamKey
    appended: Sequence[Appended] = ()
    conflict: int | None = None


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """Which events of a stream to read: those after a position (``""`` for all), up to a version."""

    stream: StreamKey
    after_position: str = ""
    up_to_version: int | None = None


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A page of one stream's events and the cursor of the next page, ``None`` at the end."""

    events: Sequence[StoredEvent]
    next_cursor: str | None


class StreamFlag(StrEnum):
    """What a head can be marked with."""

    DIRTY = "dirty"
    BLOCKED = "blocked"


class HistoryOrder(StrEnum):
    """The order of a stream's events: as they fold, or as they arrived."""

    FOLD = "fold"
    ARRIVAL = "arrival"


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """A page of a stream's events: order, direction, bounds on commit time ``[since, until)`` in epoch milliseconds."""

    stream: StreamKey
    order: HistoryOrder = HistoryOrder.FOLD
    descending: bool = False
    since_ms: int | None = None
    until_ms: int | None = None
    limit: int = 100
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class StreamPage:
    """A page of heads in key order and the cursor of the next page, ``None`` at the end."""

    heads: Sequence[Head]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class StoreStatistics:
    """Figures of the whole log; counts are bounded, so a large backlog reads as a lower bound."""

    pending_streams: int
    blocked_streams: int
    dirty_streams: int
    pending_events: int
    oldest_pending_since: datetime | None


class EventStore(ABC):
    """Keep raw events for ever, in streams, with a head for each.

    Every method takes many and makes few calls. Any of them may raise ``EventStoreUnavailableError``.
    """

    @abstractmethod
    def append(self, appends: Sequence[StreamAppend], now: datetime) -> list[AppendResult]:
        """Append to many streams; each stream is written whole or not at all, independently of the others.

        Results stand in the order of ``appends``. An event whose position the stream already has is a duplicate and
        gets no version, unless it came from the same delivery and index: then it is what it was the first time. The
        head is written with the events: version, newest position, pending-since (if absent).

        :raises TooManyEventsError: a stream's append holds more than ``MAX_EVENTS_PER_APPEND`` events.
        """

    @abstractmethod
    def read(self, requests: Sequence[ReadRequest]) -> dict[StreamKey, list[StoredEvent]]:
        """Return the events of many streams in fold order; every requested stream has an entry."""

    @abstractmethod
    def history(self, query: HistoryQuery) -> HistoryPage:
        """Return one page of a stream's events.

        :raises InvalidCursorError: the cursor is not one this store gave.
        """

    @abstractmethod
    def heads(self, streams: Sequence[StreamKey]) -> dict[StreamKey, Head]:
        """Return the heads of the streams that exist."""

    @abstractmethod
    def list_streams(self, entity_name: str, limit: int, cursor: str | None = None) -> StreamPage:
        """Return a page of an entity's heads; a walk by cursor meets every stream that was there at its start."""

    @abstractmethod
    def entity_names(self) -> list[str]:
        """Return the names of all Salesforce objects that have a stream, sorted."""

    @abstractmethod
    def pending_streams(self, limit: int, before: datetime | None = None) -> list[Head]:
        """Return heads that are pending (since a time before ``before``) and not blocked, longest waiting first."""

    @abstractmethod
    def flagged_streams(self, flag: StreamFlag, limit: int, cursor: str | None = None) -> StreamPage:
        """Return a page of heads that carry the flag, in key order."""

    @abstractmethod
    def move_watermarks(self, moves: Sequence[Watermark]) -> None:
        """Move watermarks forwards; a lower one than the head has is ignored.

        Pending-since is removed only if afterwards version = projected = published. ``dirty`` is written only by a
        move whose ``projected`` is not lower than the head's.
        """

    @abstractmethod
    def set_blocked(self, streams: Sequence[StreamKey], blocked: bool) -> None:
        """Park streams, or release them."""

    @abstractmethod
    def load_states(self, streams: Sequence[StreamKey]) -> dict[StreamKey, SavedState]:
        """Return the saved states there are."""

    @abstractmethod
    def save_states(self, states: Sequence[SavedState]) -> None:
        """Keep saved states, one for each stream; a lower version than the kept one is ignored."""

    @abstractmethod
    def purge_states(self, entity_name: str | None = None) -> int:
        """Forget the saved states of one entity, or all; return how many."""

    @abstractmethod
    def statistics(self) -> StoreStatistics:
        """Return figures for metrics and the console."""

    @abstractmethod
    def ping(self) -> None:
        """Return if the store answers."""


def walk_streams(
    store: EventStore, entity_name: str, page_size: int = 500, cursor: str | None = None
) -> Iterator[StreamPage]:
    """Yield every page of an entity's heads."""
    while True:
        page = store.list_streams(entity_name, page_size, cursor)
        yield page
        if page.next_cursor is None:
            return
        cursor = page.next_cursor
