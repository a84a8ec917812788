"""Where a page of a history begins and ends, and the cursors that carry it on."""

from typing import NamedTuple

from crm_events.domain.order import OrderKey
from crm_events.ports.event_store import HistoryQuery, InvalidCursorError

# Every position begins with a digit: these stand before and behind all of them.
_FIRST, _LAST = "!", "~"
_VERSION_DIGITS = 18


class Bounds(NamedTuple):
    """Positions from ``low`` to ``high``, both inclusive, but for the one that was ``passed`` already."""

    low: str
    high: str
    passed: str | None


def bounds_of(query: HistoryQuery, passed: str | None) -> Bounds:
    """Return the positions that a page is about, behind the one that the page before it ended with."""
    # A position begins with its commit timestamp, so a bare timestamp stands before all events of that time.
    low = _FIRST if query.since_ms is None else _timestamp(query.since_ms)
    high = _LAST if query.until_ms is None else _timestamp(query.until_ms)
    if passed and query.descending:
        high = min(high, passed)
    elif passed:
        low = max(low, passed)
    return Bounds(low, high, passed)


def _timestamp(moment_ms: int) -> str:
    return str(OrderKey(max(moment_ms, 0), 0, 0)).partition("-")[0]


def parse_fold(cursor: str) -> str:
    """Return the position that a page in fold order ended with.

    :raises InvalidCursorError: it is no cursor of such a page.
    """
    try:
        OrderKey.parse(cursor.partition("#")[0])
    except ValueError as error:
        raise InvalidCursorError(cursor) from error
    return cursor


def arrival_place(version: int, in_time: str) -> str:
    """Return the cursor behind a version; ``in_time`` is the position of the last event passed that came in time."""
    return f"{version}:{in_time}"


def parse_arrival(cursor: str) -> tuple[int, str]:
    """Return version and position of a cursor in order of arrival; the position may be empty.

    :raises InvalidCursorError: it is no cursor of such a page.
    """
    version, _, place = cursor.partition(":")
    if not (version.isascii() and version.isdigit() and len(version) <= _VERSION_DIGITS):
        raise InvalidCursorError(cursor)
    return int(version), parse_fold(place) if place else ""
