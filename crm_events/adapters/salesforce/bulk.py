"""Query jobs of Bulk API 2.0: made, asked about, and read page by page."""

import io
import re
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.util import exception_handler

from crm_events.adapters.salesforce import soql
from crm_events.adapters.salesforce.calls import Caller
from crm_events.adapters.salesforce.columns import BrokenPageError, read_page
from crm_events.adapters.salesforce.describing import Descriptions
from crm_events.adapters.salesforce.errors import expected_answer
from crm_events.ports.crm_source import (
    BulkJob,
    CursorExpiredError,
    JobFailedError,
    JobState,
    ObjectDescription,
    Row,
    RowPage,
    RowQuery,
    SourceRefusedError,
    SourceUnavailableError,
)

_JOB_ID = re.compile(r"[0-9A-Za-z]{15,18}")
_STATES = {"JobComplete": JobState.COMPLETE, "Failed": JobState.FAILED, "Aborted": JobState.FAILED}
_BUFFER = 64 * 1024


class Jobs:
    """Make and read query jobs; nothing waits for one."""

    def __init__(self, caller: Caller, descriptions: Descriptions, margin: timedelta) -> None:
        self._caller = caller
        self._descriptions = descriptions
        self._margin = margin

    def create(self, query: RowQuery) -> BulkJob:
        """Start a job."""
        statement = soql.select(query, self._descriptions.of(query.entity))
        body = {"operation": "queryAll" if query.include_deleted else "query", "query": statement}
        return _job(self._caller.ask("jobs/query", "POST", json=body))

    def get(self, job_id: str) -> BulkJob:
        """Return where a job stands."""
        path = _path(job_id)
        try:
            return _job(self._caller.ask(path))
        except SourceRefusedError as error:
            raise _forgotten_if(error) from error

    def page(self, job: BulkJob, query: RowQuery, locator: str | None, max_rows: int) -> RowPage:
        """Return a page of a complete job."""
        if job.state is JobState.FAILED:
            raise JobFailedError("JOB_FAILED", job.error)
        path = _path(job.id)
        description = self._descriptions.of(query.entity)
        wanted = {"maxRecords": str(max_rows)} | ({"locator": locator} if locator else {})
        try:
            rows, following = self._caller.call(lambda client: _download(client, path, wanted, description))
        except SourceRefusedError as error:
            self._raise_if_failed(job.id, error)
            raise _forgotten_if(error) from error
        return RowPage(rows, job.created_at - self._margin, following, job.rows)

    def _raise_if_failed(self, job_id: str, error: SourceRefusedError) -> None:
        if error.code == "INVALIDJOBSTATE":
            now = self.get(job_id)
            if now.state is JobState.FAILED:
                raise JobFailedError("JOB_FAILED", now.error) from error

    def end(self, job_id: str) -> None:
        """Abort a job that works, delete one that has ended; a job that is gone already is no error."""
        path = _path(job_id)
        try:
            if self.get(job_id).state is JobState.WORKING and self._abort(path):
                return
            self._caller.ask(path, "DELETE")
        except CursorExpiredError:
            return
        except SourceRefusedError as error:
            if error.code != "NOT_FOUND":
                raise

    def _abort(self, path: str) -> bool:
        """Abort the job, unless it ended meanwhile."""
        try:
            self._caller.ask(path, "PATCH", json={"state": "Aborted"})
        except SourceRefusedError as error:
            if error.code != "INVALIDJOBSTATE":
                raise
            return False
        return True


def _path(job_id: str) -> str:
    if not _JOB_ID.fullmatch(job_id):
        raise CursorExpiredError("INVALID_JOB", f"“{job_id[:80]}” is no job")
    return f"jobs/query/{job_id}"


def _job(answer: Any) -> BulkJob:
    with expected_answer():
        return _read_job(answer)


def _read_job(answer: dict[str, Any]) -> BulkJob:
    state = _STATES.get(answer["state"], JobState.WORKING)
    job = BulkJob(answer["id"], state, datetime.fromisoformat(answer["createdDate"]))
    rows = int(answer.get("numberRecordsProcessed") or 0)
    if state is not JobState.FAILED:
        return replace(job, rows=rows)
    aborted = "The job was aborted in Salesforce" if answer["state"] == "Aborted" else "Salesforce did not say why"
    return replace(job, rows=rows, error=str(answer.get("errorMessage") or aborted))


def _download(
    client: Salesforce, path: str, wanted: dict[str, str], description: ObjectDescription
) -> tuple[list[Row], str | None]:
    with closing(_get(client, f"{client.base_url}{path}/results", wanted)) as response:
        if response.status_code == HTTPStatus.CONFLICT:
            # Results belong to the API version that made the job, and the setting is newer ("Get Results for a Query
            # Job").
            response.close()
            version = (client.restful(path) or {})["apiVersion"]
            url = client.base_url.replace(f"/v{client.sf_version}/", f"/v{version}/")
            with closing(_get(client, f"{url}{path}/results", wanted)) as again:
                return _read(again, description)
        return _read(response, description)


def _get(client: Salesforce, url: str, wanted: dict[str, str]) -> requests.Response:
    headers = {**client.headers, "Accept": "text/csv"}
    return client.session.get(url, params=wanted, headers=headers, stream=True)


def _read(response: requests.Response, description: ObjectDescription) -> tuple[list[Row], str | None]:
    """Return rows and locator of a page, read while it comes in.

    :raises SourceUnavailableError: the page is not whole.
    """
    if response.status_code >= 300:  # noqa: PLR2004  # the library's own bound
        exception_handler(response)
    response.raw.decode_content = True
    response.raw.auto_close = False
    # Lines end at line breaks alone: other separators of lines are part of texts.
    lines = io.TextIOWrapper(io.BufferedReader(response.raw, _BUFFER), encoding="utf-8", newline="")
    try:
        rows = read_page(lines, description)
    except BrokenPageError as error:
        raise SourceUnavailableError("BROKEN_PAGE", f"A page of the job's rows cannot be read: {error}") from error
    told = response.headers.get("Sforce-NumberOfRecords", "")
    if told.isdecimal() and int(told) != len(rows):
        raise SourceUnavailableError("BROKEN_PAGE", f"A page has {len(rows)} rows in place of {told}")
    locator = response.headers.get("Sforce-Locator", "")
    return rows, None if locator in ("", "null") else locator


def _forgotten_if(error: SourceRefusedError) -> SourceRefusedError | CursorExpiredError:
    if error.code in ("NOT_FOUND", "HTTP_404"):
        return CursorExpiredError(error.code, f"Salesforce does not know this job any more. {error.detail}")
    return error
