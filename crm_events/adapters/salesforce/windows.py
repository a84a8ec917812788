"""Which records changed or were deleted in a window of time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from crm_events.adapters.salesforce.calls import Caller
from crm_events.adapters.salesforce.errors import expected_answer
from crm_events.adapters.salesforce.soql import checked_entity
from crm_events.ports.crm_source import Deleted, SourceRefusedError, Updated

_T = TypeVar("_T", Updated, Deleted)
_MINUTE = timedelta(minutes=1)


class Windows:
    """Ask for windows of changes; one that holds too many ids is halved until it fits."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def updated(self, entity: str, start: datetime, end: datetime) -> Updated:
        """Return ids created or changed."""
        path = f"sobjects/{checked_entity(entity)}/updated/"
        return _whole(lambda first, last: self._ask(_updated, path, first, last), _join_updated, start, end)

    def deleted(self, entity: str, start: datetime, end: datetime) -> Deleted:
        """Return ids deleted."""
        path = f"sobjects/{checked_entity(entity)}/deleted/"
        return _whole(lambda first, last: self._ask(_deleted, path, first, last), _join_deleted, start, end)

    def _ask(self, read: Callable[[Any], _T], path: str, start: datetime, end: datetime) -> _T:
        window = {"start": start.isoformat(), "end": end.isoformat()}
        answer = self._caller.ask(path, params=window)
        with expected_answer():
            return read(answer)


def _whole(
    ask: Callable[[datetime, datetime], _T], join: Callable[[_T, _T, datetime], _T], start: datetime, end: datetime
) -> _T:
    first, last = _minute(start), _minute(end)
    if first >= last:
        raise SourceRefusedError(
            "INVALID_REPLICATION_DATE", "The window is empty; Salesforce ignores seconds, so it wants a whole minute"
        )
    return _halved(ask, join, first, last)


def _halved(
    ask: Callable[[datetime, datetime], _T], join: Callable[[_T, _T, datetime], _T], start: datetime, end: datetime
) -> _T:
    try:
        return ask(start, end)
    except SourceRefusedError as error:
        if error.code != "EXCEEDED_ID_LIMIT" or end - start <= _MINUTE:
            raise
    middle = start + (end - start) // (2 * _MINUTE) * _MINUTE
    earlier, later = _halved(ask, join, start, middle), _halved(ask, join, middle, end)
    # Where the earlier half is not covered to its end, because changes are in flight, nor is what follows.
    covered = later.latest_covered if earlier.latest_covered >= middle else earlier.latest_covered
    return join(earlier, later, covered)


def _minute(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise SourceRefusedError("INVALID_REPLICATION_DATE", f"The time {moment} does not say in which zone it is")
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def _updated(answer: dict[str, Any]) -> Updated:
    return Updated(list(answer["ids"]), _time(answer["latestDateCovered"]))


def _deleted(answer: dict[str, Any]) -> Deleted:
    ids = {record["id"]: _time(record["deletedDate"]) for record in answer["deletedRecords"]}
    return Deleted(ids, _time(answer["earliestDateAvailable"]), _time(answer["latestDateCovered"]))


def _join_updated(earlier: Updated, later: Updated, covered: datetime) -> Updated:
    return Updated(list(dict.fromkeys([*earlier.ids, *later.ids])), covered)


def _join_deleted(earlier: Deleted, later: Deleted, covered: datetime) -> Deleted:
    available = max(earlier.earliest_available, later.earliest_available)
    return Deleted({**earlier.ids, **later.ids}, available, covered)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
