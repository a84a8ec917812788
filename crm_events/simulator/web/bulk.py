"""Query jobs of Bulk API 2.0: created, worked on, read as CSV page by page (Bulk API 2.0 guide, "Query Jobs")."""

import base64
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from crm_events.simulator.bulk_job import DELIMITERS, LINE_ENDINGS, BulkJob, ResultFile
from crm_events.simulator.org import SimulatedOrg
from crm_events.simulator.records import from_ms, to_ms
from crm_events.simulator.snapshots import Snapshot
from crm_events.simulator.soql.statement import Statement
from crm_events.simulator.web.http import Answer, ApiError, Request, json_answer, not_found
from crm_events.simulator.web.queries import compiled
from crm_events.simulator.web.rows import CsvWriter, rest_time, selected, values_of

_ROWS_AT_ONCE = 1_000
_KEPT = timedelta(days=7)
_MOST_ROWS = 250_000
_ENDED = frozenset({"JobComplete", "Failed", "Aborted"})


class BulkJobs:
    """Answer for query jobs.

    The rows of a job are written to a file by a thread of its own; ``working_polls`` is how often somebody who looks
    finds the job still at work, however quick that was. Jobs and files outlive the process.
    """

    def __init__(self, org: SimulatedOrg) -> None:
        self.working_polls = 1
        self._org = org
        self._folder = org.store.path.parent / "bulk"
        self._folder.mkdir(exist_ok=True)
        self._lock = threading.RLock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="bulk")
        kept = org.store.fact("bulk_jobs", [])
        self._jobs = {one["id"]: BulkJob(**one) for one in kept}
        for job in self._jobs.values():
            if not job.is_written and job.state not in _ENDED:
                self._start(job)

    def create(self, request: Request, version: str) -> Answer:
        """Create a job."""
        job = self._new_job(request.json(), version)
        with self._lock:
            self._forget_old()
            self._jobs[job.id] = job
            self._keep()
            self._org.keep()
        self._start(job)
        return json_answer(_shown(job))

    def show(self, job_id: str, version: str) -> Answer:
        """Answer with where a job stands."""
        with self._lock:
            job = self._job(job_id, version)
            if job.state not in _ENDED:
                job.polls += 1
                job.state = self._state_now(job)
                if self._org.switches.fires("fail_job"):
                    job.state, job.error = "Failed", "InternalServerError: the job was let fail"
                    self._org.switches.note("fail_job", detail=job.id)
                self._keep()
            return json_answer(_shown(job))

    def results(self, request: Request, job_id: str, version: str) -> Answer:
        """Answer with a page of a complete job's rows."""
        job = self._job(job_id, version)
        if job.state != "JobComplete":
            message = f"Getting the query results isn't allowed when the job status is {job.state}"
            raise ApiError(400, "INVALIDJOBSTATE", message)
        start, size = self._range(request, job)
        columns = compiled(job.query, include_deleted=True)
        header = _csv_writer(job, columns).header()
        file = self._file(job)
        begin, end = file.span(start, size)
        more = start + size < job.rows
        headers = {
            "Content-Type": "text/csv; charset=UTF-8",
            "Content-Length": str(len(header) + end - begin),
            "Sforce-NumberOfRecords": str(size),
            "Sforce-Locator": _locator(start + size) if more else "null",
        }
        return Answer(200, _pieces(header, file, begin, end), headers)

    def change(self, request: Request, job_id: str, version: str) -> Answer:
        """Abort a job."""
        body = request.json()
        with self._lock:
            job = self._job(job_id, version)
            if not isinstance(body, dict) or body.get("state") != "Aborted":
                raise ApiError(400, "INVALIDJOB", "The only state a query job can be set to is Aborted")
            if job.state in _ENDED:
                raise ApiError(400, "INVALIDJOBSTATE", f"Aborting already Completed Job not allowed ({job.state})")
            job.state = "Aborted"
            self._keep()
            return json_answer(_shown(job))

    def delete(self, job_id: str, version: str) -> Answer:
        """Forget a job that has ended."""
        with self._lock:
            job = self._job(job_id, version)
            if job.state not in _ENDED:
                raise ApiError(400, "INVALIDJOBSTATE", "Deletion of query jobs requires them to have ended")
            self._forget(job)
        return Answer(204)

    def fail_unfinished(self, message: str) -> int:
        """Let every job at work fail, and return how many there were."""
        with self._lock:
            working = [job for job in self._jobs.values() if job.state not in _ENDED]
            for job in working:
                job.state, job.error = "Failed", message
            self._keep()
        return len(working)

    def close(self) -> None:
        """Let what is being written end."""
        self._worker.shutdown(cancel_futures=True)

    def _new_job(self, body: Any, version: str) -> BulkJob:
        body = body if isinstance(body, dict) else {}
        operation, query = body.get("operation"), body.get("query")
        if operation not in ("query", "queryAll") or not isinstance(query, str):
            raise ApiError(400, "INVALIDJOB", "A query job needs an operation (query, queryAll) and a query")
        statement = compiled(query, include_deleted=operation == "queryAll")
        _check_plain(statement)
        line_ending, delimiter = body.get("lineEnding", "LF"), body.get("columnDelimiter", "COMMA")
        if line_ending not in LINE_ENDINGS or delimiter not in DELIMITERS:
            raise ApiError(400, "INVALIDJOB", "lineEnding or columnDelimiter is not one of those that there are")
        job_id = self._org.mint.record_id("Job")
        created_ms, user = to_ms(self._org.now()), self._org.api_user
        return BulkJob(job_id, operation, query, statement.kind.name, version, delimiter, line_ending, user, created_ms)

    def _job(self, job_id: str, version: str) -> BulkJob:
        job = self._jobs.get(job_id)
        if job is None:
            raise not_found()
        if job.version != version:
            message = f"The job was created with API version {job.version}, and this call is of {version}"
            raise ApiError(409, "API_VERSION_MISMATCH", message)
        return job

    def _state_now(self, job: BulkJob) -> str:
        return "JobComplete" if job.is_written and job.polls > self.working_polls else "InProgress"

    def _range(self, request: Request, job: BulkJob) -> tuple[int, int]:
        locator, most = request.query.get("locator", ""), request.query.get("maxRecords", "")
        try:
            start = int(base64.b64decode(locator + "==").decode()) if locator else 0
            size = int(most) if most else _MOST_ROWS
        except ValueError as error:
            raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator") from error
        if not 0 <= start <= job.rows or size < 1:
            raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return start, min(size, job.rows - start, _MOST_ROWS)

    def _start(self, job: BulkJob) -> None:
        def settle(future: Future[None]) -> None:
            if not future.cancelled() and (error := future.exception()) is not None:
                job.state, job.error = "Failed", f"InternalServerError: {error}"

        self._worker.submit(self._write, job).add_done_callback(settle)

    def _write(self, job: BulkJob) -> None:
        statement = compiled(job.query, include_deleted=job.operation == "queryAll")
        writer = _csv_writer(job, statement)
        # Salesforce promises no order, so it is none that anybody would rely on.
        snapshot = Snapshot(self._org.store, statement, selected(statement.kind, statement.columns), newest_first=True)
        try:
            job.rows = 0
            with self._file(job).writing() as add:
                for rows in snapshot.pages(_ROWS_AT_ONCE):
                    if job.state in _ENDED:
                        return
                    for row in rows:
                        add(writer.line(values_of(statement.kind, statement.columns, row)))
                    job.rows += len(rows)
        finally:
            snapshot.close()
        with self._lock:
            job.is_written = True
            self._keep()

    def _file(self, job: BulkJob) -> ResultFile:
        return ResultFile(self._folder / job.id)

    def _forget_old(self) -> None:
        oldest = to_ms(self._org.now() - _KEPT)
        for job in [job for job in self._jobs.values() if job.created_ms < oldest]:
            self._forget(job)

    def _forget(self, job: BulkJob) -> None:
        del self._jobs[job.id]
        self._file(job).remove()
        self._keep()

    def _keep(self) -> None:
        self._org.store.remember(bulk_jobs=[job.as_dict() for job in self._jobs.values()])


def _check_plain(statement: Statement) -> None:
    if statement.counts is not None:
        raise ApiError(400, "API_ERROR", "Aggregate Relationships not supported in Bulk Query")
    if any(name in statement.kind.compounds for name in statement.columns):
        raise ApiError(400, "API_ERROR", "Selecting compound data not supported in Bulk Query")


def _csv_writer(job: BulkJob, statement: Statement) -> CsvWriter:
    return CsvWriter(statement.kind, statement.columns, LINE_ENDINGS[job.line_ending], DELIMITERS[job.delimiter])


def _pieces(header: bytes, file: ResultFile, begin: int, end: int) -> Iterator[bytes]:
    yield header
    yield from file.read(begin, end)


def _locator(start: int) -> str:
    return base64.b64encode(str(start).encode()).decode().rstrip("=")


def _shown(job: BulkJob) -> dict[str, Any]:
    moment = rest_time(from_ms(job.created_ms))
    shown = {
        "id": job.id,
        "operation": job.operation,
        "object": job.entity,
        "createdById": job.user,
        "createdDate": moment,
        "systemModstamp": moment,
        "state": job.state,
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": float(job.version),
        "lineEnding": job.line_ending,
        "columnDelimiter": job.delimiter,
    }
    if job.state != "UploadComplete":
        done = {"jobType": "V2Query", "numberRecordsProcessed": job.rows, "retries": 0, "totalProcessingTime": 0}
        shown.update(done)
    return {**shown, "errorMessage": job.error} if job.error else shown
