"""What changed and what was deleted in a window of time (REST API Developer Guide, "Get Updated", "Get Deleted")."""

from datetime import UTC, datetime, timedelta

from crm_events.simulator.org import SimulatedOrg
from crm_events.simulator.records import from_ms, to_ms
from crm_events.simulator.schema import ObjectType
from crm_events.simulator.web.http import Answer, ApiError, Request, json_answer
from crm_events.simulator.web.rows import rest_time

_UPDATED_DAYS, _DELETED_DAYS = 30, 15
_MINUTE = timedelta(minutes=1)
_MOST_IDS = 600_000


class Windows:
    """Answer for windows; ``most_ids`` is how many ids one may have."""

    def __init__(self, org: SimulatedOrg) -> None:
        self.most_ids = _MOST_IDS
        self._org = org

    def updated(self, request: Request, kind: ObjectType) -> Answer:
        """Answer with the ids created or changed in a window, by SystemModstamp."""
        start, end, covered = self._window(request, _UPDATED_DAYS)
        sql = (
            "SELECT id FROM records WHERE entity = ? AND modified >= ? AND modified < ? AND NOT is_deleted"
            " AND NOT hidden ORDER BY modified LIMIT ?"
        )
        parameters = (kind.name, to_ms(start), to_ms(end), self.most_ids + 1)
        ids = [row[0] for row in self._org.store.reader.execute(sql, parameters)]
        self._check_count(len(ids))
        return json_answer({"ids": ids, "latestDateCovered": rest_time(covered)})

    def deleted(self, request: Request, kind: ObjectType) -> Answer:
        """Answer with the ids deleted in a window; of what is gone from the recycle bin too, nothing is known."""
        start, end, covered = self._window(request, _DELETED_DAYS)
        sql = (
            "SELECT id, deleted_at FROM records WHERE entity = ? AND is_deleted AND deleted_at >= ? AND deleted_at < ?"
            " AND NOT hidden ORDER BY deleted_at LIMIT ?"
        )
        earliest = self.earliest_deletion()
        parameters = (kind.name, max(to_ms(start), to_ms(earliest)), to_ms(end), self.most_ids + 1)
        rows = self._org.store.reader.execute(sql, parameters).fetchall()
        self._check_count(len(rows))
        deleted = [{"id": row[0], "deletedDate": rest_time(from_ms(row[1]))} for row in rows]
        body = {"deletedRecords": deleted, "earliestDateAvailable": rest_time(earliest)}
        return json_answer({**body, "latestDateCovered": rest_time(covered)})

    def earliest_deletion(self) -> datetime:
        """Return since when deletions are known: the log of them is purged now and then."""
        oldest = self._org.now() - timedelta(days=_DELETED_DAYS)
        purged = self._org.store.fact("deletions_known_since_ms", 0)
        return max(oldest, from_ms(purged))

    def _window(self, request: Request, days: int) -> tuple[datetime, datetime, datetime]:
        """Return start, end and the latest moment covered, all to the minute."""
        now = self._org.now()
        start, end = _moment(request, "start"), _moment(request, "end")
        if start < _minute(now) - timedelta(days=days):
            raise _refused(f"startDate cannot be more than {days} days ago")
        if end - start < _MINUTE:
            raise _refused("endDate must be at least one minute greater than the startDate")
        # Changes under way carry the time at which they were made, and are seen only once they are committed.
        covered = min(end, _minute(now), *map(_minute, list(self._org.in_flight.values())))
        return start, end, covered

    def _check_count(self, number: int) -> None:
        if number > self.most_ids:
            raise ApiError(400, "EXCEEDED_ID_LIMIT", f"Too many ids in the window: more than {self.most_ids}")


def _moment(request: Request, name: str) -> datetime:
    text = request.query.get(name, "")
    try:
        # A plus sign that was not escaped arrives as a space.
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as error:
        raise ApiError(400, "INVALID_FIELD", f"{name} is not a valid date time: {text}") from error
    if moment.tzinfo is None:
        raise ApiError(400, "INVALID_FIELD", f"{name} is not a valid date time: {text}")
    return _minute(moment.astimezone(UTC))


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _refused(message: str) -> ApiError:
    return ApiError(400, "INVALID_REPLICATION_DATE", message)
