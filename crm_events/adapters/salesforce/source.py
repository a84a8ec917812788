"""The source that reads Salesforce."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import requests
from simple_salesforce.api import Salesforce

from crm_events import backends
from crm_events.adapters.salesforce.access import Access
from crm_events.adapters.salesforce.bulk import Jobs
from crm_events.adapters.salesforce.calls import Caller, Patience
from crm_events.adapters.salesforce.clock import SalesforceClock
from crm_events.adapters.salesforce.describing import Descriptions
from crm_events.adapters.salesforce.http import SalesforceHttp
from crm_events.adapters.salesforce.options import Options
from crm_events.adapters.salesforce.reading import Reader
from crm_events.adapters.salesforce.rights import Rights
from crm_events.adapters.salesforce.windows import Windows
from crm_events.ports.api_budget import ApiBudget
from crm_events.ports.crm_source import (
    ApiUsage,
    BulkJob,
    CrmSource,
    Deleted,
    ObjectDescription,
    RowPage,
    RowQuery,
    SourceAccessError,
    Updated,
)


class SalesforceSource(CrmSource):
    """Read an org by REST and Bulk API 2.0.

    ``budget`` hears of the org's use with every answer; without one it is the service's own. ``monotonic`` and
    ``sleep`` are the machine's.
    """

    def __init__(
        self,
        *,
        budget: ApiBudget | None = None,
        patience: Patience = Patience(),  # noqa: B008  # frozen
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        **settings: Any,
    ) -> None:
        options = Options(**settings)
        problems = options.problems()
        if problems:
            raise SourceAccessError("SETTINGS", " ".join(problems))
        self._budget = budget
        self._usage: ApiUsage | None = None
        self._clock = SalesforceClock(monotonic)
        http = SalesforceHttp(options, self._answered)
        self._caller = Caller(Access(options, http, monotonic), http, patience, sleep, self._used_up)
        self._descriptions = Descriptions(self._caller, monotonic)
        self._reader = Reader(self._caller, self._clock, self._descriptions, options.margin)
        self._jobs = Jobs(self._caller, self._descriptions, options.margin)
        self._rights = Rights(self._caller, monotonic)
        self._windows = Windows(self._caller)

    @classmethod
    def problems(cls, **settings: Any) -> list[str]:
        return Options(**settings).problems()

    def describe(self, entity: str) -> ObjectDescription:
        return self._descriptions.of(entity)

    def count(self, query: RowQuery) -> int:
        return self._reader.count(query)

    def read(self, query: RowQuery, cursor: str | None = None) -> RowPage:
        return self._reader.first(query) if cursor is None else self._reader.next(cursor)

    def read_ids(self, query: RowQuery, ids: Sequence[str]) -> RowPage:
        return self._reader.by_ids(query, ids)

    def sees_all(self, entity: str) -> bool:
        return self._rights.see_all(entity)

    def create_job(self, query: RowQuery) -> BulkJob:
        return self._jobs.create(query)

    def job(self, job_id: str) -> BulkJob:
        return self._jobs.get(job_id)

    def job_page(self, job: BulkJob, query: RowQuery, cursor: str | None = None, max_rows: int = 10_000) -> RowPage:
        return self._jobs.page(job, query, cursor, max_rows)

    def end_job(self, job_id: str) -> None:
        self._jobs.end(job_id)

    def updated(self, entity: str, start: datetime, end: datetime) -> Updated:
        return self._windows.updated(entity, start, end)

    def deleted(self, entity: str, start: datetime, end: datetime) -> Deleted:
        return self._windows.deleted(entity, start, end)

    def usage(self) -> ApiUsage | None:
        return self._usage

    def ping(self) -> None:
        self._caller.ask("")

    def _answered(self, response: requests.Response) -> None:
        """Learn time and use from an answer, whatever else it says."""
        self._clock.observe(response.headers.get("Date"))
        usage = _usage(response.headers.get("Sforce-Limit-Info", ""))
        if usage is not None:
            self._note(usage)

    def _used_up(self) -> None:
        if self._usage is not None and self._usage.used < self._usage.limit:
            self._note(ApiUsage(self._usage.limit, self._usage.limit))

    def _note(self, usage: ApiUsage) -> None:
        self._usage = usage
        budget = self._budget or backends.api_budget()
        budget.note(usage, datetime.now(UTC))


def _usage(limit_info: str) -> ApiUsage | None:
    """Return the use that an answer tells: of the org, or of our app if that is nearer to a limit of its own."""
    told = Salesforce.parse_api_usage(limit_info)
    uses = [ApiUsage(use.used, use.total) for use in told.values() if use.total]
    return max(uses, key=lambda use: use.used / use.limit, default=None)
