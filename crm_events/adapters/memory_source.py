"""Salesforce in memory, for tests and trials: objects and their rows, a clock to turn, and faults to order."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any

from crm_events.adapters.memory_where import matcher
from crm_events.domain.errors import InvalidIdError
from crm_events.domain.identifiers import normalize_id
from crm_events.ports.crm_source import (
    ApiUsage,
    BulkJob,
    CrmSource,
    CrmSourceError,
    CursorExpiredError,
    Deleted,
    FieldDescription,
    JobFailedError,
    JobState,
    ObjectDescription,
    Row,
    RowPage,
    RowQuery,
    SourceRefusedError,
    Updated,
)

MAX_PAGE = 2_000
_UPDATED_REACH = timedelta(days=30)
_DELETED_REACH = timedelta(days=15)
_MAX_WINDOW_IDS = 600_000
_SYSTEM_FIELDS = {
    "Id": "id",
    "IsDeleted": "boolean",
    "CreatedDate": "datetime",
    "LastModifiedDate": "datetime",
    "SystemModstamp": "datetime",
}


@dataclass(slots=True)
class _Record:
    row: dict[str, Any]
    deleted_at: datetime | None = None
    hidden: bool = False


@dataclass(slots=True)
class _Object:
    description: ObjectDescription | None = None
    records: dict[str, _Record] = field(default_factory=dict)


@dataclass(slots=True)
class _Read:
    rows: list[Row]
    began: datetime


@dataclass(slots=True)
class _Job:
    job: BulkJob
    query: RowQuery
    polls_left: int
    rows: list[Row] = field(default_factory=list)


@dataclass(slots=True)
class _Fault:
    method: str
    error: CrmSourceError
    after: int
    times: int


class MemoryCrmSource(CrmSource):
    """An org in memory.

    ``now`` is Salesforce's clock and stands still until somebody moves it. ``page_size`` is how many rows a page of
    REST has, ``job_polls`` how often a new job answers that it is still at work, ``job_error`` what jobs under way fail
    with. ``may_see_all`` is what the API user's rights say. ``calls`` names every method called, in order.
    ``before_call`` runs before each call and may change the org.
    """

    def __init__(self, now: datetime = datetime(2026, 10, 6, 8, 0, tzinfo=UTC)) -> None:
        self.now = now
        self.page_size = MAX_PAGE
        self.job_polls = 0
        self.job_error = ""
        self.max_window_ids = _MAX_WINDOW_IDS
        self.may_see_all = True
        self.calls: list[str] = []
        self.before_call: Callable[[str], None] = lambda _method: None
        self._usage: ApiUsage | None = None
        self._lock = RLock()
        self._objects: defaultdict[str, _Object] = defaultdict(_Object)
        self._reads: dict[str, _Read] = {}
        self._jobs: dict[str, _Job] = {}
        self._faults: list[_Fault] = []
        self._numbers = 0

    # The org, for whoever sets it up.

    def put(self, entity: str, *rows: Mapping[str, Any]) -> None:
        """Keep rows, each whole and with its ``Id``; system fields that a row does not name are set to now."""
        stamp = _stamp(self.now)
        system = {"IsDeleted": False, "CreatedDate": stamp, "LastModifiedDate": stamp, "SystemModstamp": stamp}
        with self._lock:
            for row in rows:
                self._objects[entity].records[row["Id"]] = _Record({**system, **row})

    def change(self, entity: str, record_id: str, *, quietly: bool = False, **values: Any) -> None:
        """Set fields of a record; ``quietly`` as a formula changes, without touching the times of modification."""
        stamp = _stamp(self.now)
        with self._lock:
            row = self._objects[entity].records[record_id].row
            row.update({} if quietly else {"LastModifiedDate": stamp, "SystemModstamp": stamp}, **values)

    def delete(self, entity: str, record_id: str) -> None:
        """Move a record to the recycle bin."""
        self.change(entity, record_id, IsDeleted=True)
        self._objects[entity].records[record_id].deleted_at = self.now

    def undelete(self, entity: str, record_id: str) -> None:
        """Take a record out of the recycle bin."""
        self.change(entity, record_id, IsDeleted=False)
        self._objects[entity].records[record_id].deleted_at = None

    def erase(self, entity: str, record_id: str) -> None:
        """Delete a record for good: nothing tells of it any more."""
        with self._lock:
            del self._objects[entity].records[record_id]

    def hide(self, entity: str, record_id: str, *, hidden: bool = True) -> None:
        """Take a record out of the API user's sight, or put it back."""
        self._objects[entity].records[record_id].hidden = hidden

    def row(self, entity: str, record_id: str) -> dict[str, Any]:
        """Return a copy of a record's row, deleted or hidden or not."""
        return dict(self._objects[entity].records[record_id].row)

    def set_description(self, description: ObjectDescription) -> None:
        """Say what an object is made of; else it has the fields of its rows, typed by their values."""
        self._objects[description.entity].description = description

    def set_usage(self, used: int, limit: int) -> None:
        """Set the org's use of the API; every later call adds one."""
        self._usage = ApiUsage(used, limit)

    def fail(self, method: str, error: CrmSourceError, *, after: int = 0, times: int = 1) -> None:
        """Let a method (``""``: any) raise the error ``times`` times, once it went well ``after`` times."""
        self._faults.append(_Fault(method, error, after, times))

    def forget_reads(self) -> None:
        """Let all cursors of REST queries be too old."""
        self._reads.clear()

    def forget_jobs(self) -> None:
        """Let Salesforce forget all bulk jobs and their results."""
        self._jobs.clear()

    # The port.

    def describe(self, entity: str) -> ObjectDescription:
        with self._call("describe"):
            return self._describe(entity)

    def count(self, query: RowQuery) -> int:
        with self._call("count"):
            return len(self._select(replace(query, columns=())))

    def read(self, query: RowQuery, cursor: str | None = None) -> RowPage:
        with self._call("read"):
            if cursor is None:
                read_id = self._new_id("01g")
                self._reads[read_id] = _Read(self._select(query), self.now)
                cursor = f"{read_id}-0"
            return self._page_of_read(cursor)

    def _page_of_read(self, cursor: str) -> RowPage:
        read_id, _, offset = cursor.partition("-")
        if read_id not in self._reads or not offset.isdecimal():
            raise CursorExpiredError("INVALID_QUERY_LOCATOR", "The cursor of this query is not known any more")
        read = self._reads[read_id]
        return _page(read.rows, int(offset), min(self.page_size, MAX_PAGE), read.began, f"{read_id}-")

    def read_ids(self, query: RowQuery, ids: Sequence[str]) -> RowPage:
        with self._call("read_ids"):
            wanted = {_checked_id(record_id) for record_id in ids}
            columns = tuple(query.columns)
            rows = self._select(replace(query, columns=("Id", *(name for name in columns if name != "Id"))))
            found = [{name: row[name] for name in columns} for row in rows if row["Id"] in wanted]
            return RowPage(found, self.now, total=len(found))

    def sees_all(self, entity: str) -> bool:  # noqa: ARG002  # one answer for all objects
        with self._call("sees_all"):
            return self.may_see_all

    def create_job(self, query: RowQuery) -> BulkJob:
        with self._call("create_job"):
            self._select(replace(query, where=""))
            job = BulkJob(self._new_id("750"), JobState.WORKING, self.now)
            self._jobs[job.id] = _Job(job, query, self.job_polls)
            return job

    def job(self, job_id: str) -> BulkJob:
        with self._call("job"):
            kept = self._kept_job(job_id)
            if kept.job.state is JobState.WORKING:
                self._work(kept)
            return kept.job

    def _work(self, kept: _Job) -> None:
        if self.job_error:
            kept.job = replace(kept.job, state=JobState.FAILED, error=self.job_error)
        elif kept.polls_left:
            kept.polls_left -= 1
        else:
            # The rows as they are when the job gets to them, the last one first: it promises no order.
            kept.rows = self._select(kept.query)[::-1]
            kept.job = replace(kept.job, state=JobState.COMPLETE, rows=len(kept.rows))

    def job_page(self, job: BulkJob, query: RowQuery, cursor: str | None = None, max_rows: int = 10_000) -> RowPage:
        with self._call("job_page"):
            kept = self._kept_job(job.id)
            if kept.job.state is JobState.FAILED:
                raise JobFailedError("JOB_FAILED", kept.job.error)
            if kept.job.state is JobState.WORKING:
                raise SourceRefusedError("INVALID_JOB_STATE", "The job has not finished")
            if query != kept.query:
                raise SourceRefusedError("INVALID_JOB_QUERY", "The job was made for another query")
            return _page(kept.rows, int(cursor or 0), max_rows, kept.job.created_at, "")

    def end_job(self, job_id: str) -> None:
        with self._call("end_job"):
            self._jobs.pop(job_id, None)

    def updated(self, entity: str, start: datetime, end: datetime) -> Updated:
        with self._call("updated"):
            begin, finish = self._window(start, end, _UPDATED_REACH)
            ids = [
                record.row["Id"]
                for record in self._visible(entity)
                if record.deleted_at is None and begin <= _moment(record.row["SystemModstamp"]) < finish
            ]
            return Updated(self._bounded(ids), min(finish, self.now))

    def deleted(self, entity: str, start: datetime, end: datetime) -> Deleted:
        with self._call("deleted"):
            begin, finish = self._window(start, end, _DELETED_REACH)
            gone = {
                record.row["Id"]: record.deleted_at
                for record in self._visible(entity)
                if record.deleted_at is not None and begin <= record.deleted_at < finish
            }
            self._bounded(list(gone))
            return Deleted(gone, _whole_minute(self.now - _DELETED_REACH), min(finish, self.now))

    def usage(self) -> ApiUsage | None:
        return self._usage

    def ping(self) -> None:
        with self._call("ping"):
            return

    # Below the port.

    @contextmanager
    def _call(self, method: str) -> Iterator[None]:
        self.before_call(method)
        with self._lock:
            self.calls.append(method)
            if self._usage is not None:
                self._usage = replace(self._usage, used=self._usage.used + 1)
            self._raise_fault(method)
            yield

    def _raise_fault(self, method: str) -> None:
        for fault in self._faults:
            if fault.method not in ("", method) or not fault.times:
                continue
            if fault.after:
                fault.after -= 1
                continue
            fault.times -= 1
            raise fault.error

    def _new_id(self, prefix: str) -> str:
        self._numbers += 1
        return normalize_id(f"{prefix}Qy{self._numbers:010d}")

    def _kept_job(self, job_id: str) -> _Job:
        if job_id not in self._jobs:
            raise CursorExpiredError("NOT_FOUND", "Salesforce does not know this job any more")
        return self._jobs[job_id]

    def _describe(self, entity: str) -> ObjectDescription:
        known = self._objects.get(entity)
        if known is None:
            raise SourceRefusedError("NOT_FOUND", f"There is no object {entity}, or the API user may not see it")
        if known.description is not None:
            return known.description
        types = dict(_SYSTEM_FIELDS)
        for record in known.records.values():
            types.update({name: _type_of(value) for name, value in record.row.items() if name not in types})
        return ObjectDescription(entity, [FieldDescription(name, kind) for name, kind in types.items()])

    def _visible(self, entity: str) -> list[_Record]:
        self._describe(entity)
        return [record for _, record in sorted(self._objects[entity].records.items()) if not record.hidden]

    def _select(self, query: RowQuery) -> list[Row]:
        known = {column.name for column in self._describe(query.entity).fields}
        unknown = [name for name in query.columns if name not in known]
        if unknown:
            raise SourceRefusedError("INVALID_FIELD", f"No such column on entity '{query.entity}': {unknown[0]}")
        fits = matcher(query.where)
        return [
            {name: _whole(record.row.get(name)) for name in query.columns}
            for record in self._visible(query.entity)
            if (query.include_deleted or record.deleted_at is None) and fits(record.row)
        ]

    def _window(self, start: datetime, end: datetime, reach: timedelta) -> tuple[datetime, datetime]:
        begin, finish = _whole_minute(start), _whole_minute(end)
        if begin >= finish:
            raise SourceRefusedError("INVALID_REPLICATION_DATE", "The window is empty")
        if begin < _whole_minute(self.now - reach):
            raise SourceRefusedError("INVALID_REPLICATION_DATE", f"The window begins more than {reach.days} days ago")
        return begin, finish

    def _bounded(self, ids: list[str]) -> list[str]:
        if len(ids) > self.max_window_ids:
            raise SourceRefusedError("EXCEEDED_ID_LIMIT", f"The window holds more than {self.max_window_ids} ids")
        return ids


def _page(rows: list[Row], offset: int, size: int, began: datetime, prefix: str) -> RowPage:
    end = offset + size
    return RowPage(rows[offset:end], began, f"{prefix}{end}" if end < len(rows) else None, len(rows))


def _checked_id(record_id: str) -> str:
    try:
        return normalize_id(record_id)
    except InvalidIdError as error:
        raise SourceRefusedError("MALFORMED_ID", str(error)) from error


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _whole_minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _whole(value: Any) -> Any:
    return None if value == "" else value


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "int"
    return "string" if isinstance(value, str) or value is None else "double"
