"""Where events and streams that could not be handled are kept until somebody deals with them."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from crm_events.domain.identifiers import StreamKey


@dataclass(frozen=True, slots=True)
class EventFailure:
    """An item of a delivery that could not become events.

    ``code`` is a short stable name of the cause, ``detail`` one sentence for an operator, ``record`` the raw record id
    where only one of an item's records failed, ``payload`` the JSON text as it arrived, ``cause`` what tells this
    class of failure from others with the same code.
    """

    code: str
    detail: str
    payload: str
    delivery_id: str
    delivery_index: int
    record: str = ""
    entity_name: str = ""
    cause: str = ""


@dataclass(frozen=True, slots=True)
class StreamFailure:
    """A stream that could not be projected; it is parked until its dead letter is retried."""

    code: str
    detail: str
    stream: StreamKey
    cause: str = ""


def failure_fingerprint(code: str, entity_name: str, cause: str = "") -> str:
    """Return the name of a class of failures, equal for failures that one repair would mend together."""
    return hashlib.sha256(f"{code}\n{entity_name}\n{cause}".encode()).hexdigest()[:16]


class DeadLetters(ABC):
    """Keep failures as data; reporting the same failure again counts it, and never makes a second one."""

    @abstractmethod
    def report_events(self, failures: Sequence[EventFailure], now: datetime) -> None:
        """Keep unreadable items, unique by delivery, index and record."""

    @abstractmethod
    def report_streams(self, failures: Sequence[StreamFailure], now: datetime) -> None:
        """Keep parked streams, one open dead letter for each stream."""

    @abstractmethod
    def resolve_streams(self, streams: Sequence[StreamKey], now: datetime) -> int:
        """Close the open dead letters of streams that were projected after all; return how many."""
