"""Salesforce as it is read: rows by query, by id and by bulk job, windows of changes, and how many calls are left."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from crm_events.domain.errors import CrmError, EngineUnavailableError

Row = Mapping[str, Any]


class CrmSourceError(CrmError):
    """Base of the errors of a source. ``code`` is Salesforce's errorCode (or ours), ``detail`` what it said.

    Picklable: an error keeps its fields on the way through a task queue.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.detail} ({self.code})"


class SourceUnavailableError(CrmSourceError, EngineUnavailableError):
    """Salesforce does not answer or refuses for now; the same call may succeed later."""


class SourceAccessError(CrmSourceError):
    """Salesforce does not let us in: credentials, certificate, host or user are wrong."""


class NoSourceError(SourceAccessError):
    """No Salesforce is set up at all."""

    def __init__(self) -> None:
        super().__init__(
            "NO_SOURCE",
            "This service does not read Salesforce, because no source is set up. Set CRM_SOURCE=salesforce, "
            "SALESFORCE_URL, SALESFORCE_CLIENT_ID, and either SALESFORCE_USERNAME with SALESFORCE_PRIVATE_KEY_FILE "
            "or SALESFORCE_CLIENT_SECRET",
        )

    def __reduce__(self) -> tuple[type[Self], tuple[()]]:
        return type(self), ()


class SourceLimitError(CrmSourceError):
    """The org's daily number of API calls is used up (REQUEST_LIMIT_EXCEEDED); calls succeed again hours later."""


class SourceRefusedError(CrmSourceError):
    """Salesforce refuses this very call (malformed query, unknown field or object); repeating it does not help."""


class CursorExpiredError(CrmSourceError):
    """The cursor or the job's results are gone; begin this read again."""


class JobFailedError(CrmSourceError):
    """A bulk job failed or was aborted in Salesforce."""


@dataclass(frozen=True, slots=True)
class FieldDescription:
    """A column: its REST name, its Salesforce type (``string``, ``double``, ``datetime``, ``address`` ...).

    ``is_compound`` marks what only repeats other columns (an address, a person's whole name); ``is_calculated`` a
    formula or roll-up, whose value can change without an event.
    """

    name: str
    type: str
    is_compound: bool = False
    is_calculated: bool = False


@dataclass(frozen=True, slots=True)
class ObjectDescription:
    """What an object is made of, as the API user may see it."""

    entity: str
    fields: Sequence[FieldDescription]

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the names of all columns that make a full row: every field but compounds and files (``base64``)."""
        return tuple(field.name for field in self.fields if not field.is_compound and field.type != "base64")


@dataclass(frozen=True, slots=True)
class RowQuery:
    """Which rows of an object to read: columns by REST name, ``where`` a SOQL condition (``""`` for all).

    ``include_deleted`` adds rows in the recycle bin (queryAll); ask for ``IsDeleted`` then.
    """

    entity: str
    columns: Sequence[str]
    where: str = ""
    include_deleted: bool = False


@dataclass(frozen=True, slots=True)
class RowPage:
    """Some rows, and how to go on.

    Columns carry their REST names; numbers are ``int`` or ``Decimal``, never ``float``; checkboxes ``bool``; an
    empty text is ``None``. ``read_start`` is Salesforce's clock (aware, UTC), not later than the moment at which the
    whole read began: of a query its first page, of a job its creation. ``next_cursor`` is ``None`` at the end;
    it can be kept and used by another process. ``total`` counts all rows of the read, if Salesforce says so.
    """

    rows: Sequence[Row]
    read_start: datetime
    next_cursor: str | None = None
    total: int | None = None


class JobState(StrEnum):
    """Where a bulk job stands: still at work, its results can be read, or nothing will come of it."""

    WORKING = "working"
    COMPLETE = "complete"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class BulkJob:
    """A query job of Bulk API 2.0; ``created_at`` is Salesforce's clock, ``rows`` how many it has processed."""

    id: str
    state: JobState
    created_at: datetime
    rows: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Updated:
    """Ids changed in a window. Go on from ``latest_covered``, not from the window's end: changes may be in flight."""

    ids: Sequence[str]
    latest_covered: datetime


@dataclass(frozen=True, slots=True)
class Deleted:
    """Ids deleted in a window, each with its time; before ``earliest_available`` nothing is known any more."""

    ids: Mapping[str, datetime]
    earliest_available: datetime
    latest_covered: datetime


@dataclass(frozen=True, slots=True)
class ApiUsage:
    """How many API calls the org made in the last 24 hours, of how many."""

    used: int
    limit: int


class CrmSource(ABC):
    """Read Salesforce.

    Every call has a timeout, renews an expired session a bounded number of times, and raises nothing but
    ``CrmSourceError``. One object serves all threads of a process.
    """

    @classmethod
    def problems(cls, **_options: Any) -> list[str]:
        """Return what is wrong with the options a source is to be made with, in plain words; nothing connects."""
        return []

    @abstractmethod
    def describe(self, entity: str) -> ObjectDescription:
        """Return what the object is made of.

        :raises SourceRefusedError: there is no such object, or the user may not see it.
        """

    @abstractmethod
    def count(self, query: RowQuery) -> int:
        """Return how many rows the query has."""

    @abstractmethod
    def read(self, query: RowQuery, cursor: str | None = None) -> RowPage:
        """Return a page of at most 2,000 rows by REST.

        :raises CursorExpiredError: the cursor is too old; it lives about two days.
        """

    @abstractmethod
    def read_ids(self, query: RowQuery, ids: Sequence[str]) -> RowPage:
        """Return those of the named records that there are (and that fit ``query.where``), in as few calls as can be.

        Whoever is missing is deleted, hard-deleted or not visible: ``include_deleted`` tells the first from the rest.
        """

    def sees_all(self, entity: str) -> bool:  # noqa: ARG002  # the answer of who cannot tell
        """Say whether the API user may see every record of the object; what is not shown then does not exist.

        Without an answer it is ``False``: a record that is not shown may only be hidden from us.
        """
        return False

    @abstractmethod
    def create_job(self, query: RowQuery) -> BulkJob:
        """Start a Bulk 2.0 query job; rows come in no particular order."""

    @abstractmethod
    def job(self, job_id: str) -> BulkJob:
        """Return where a job stands.

        :raises CursorExpiredError: Salesforce has forgotten the job; results are kept for seven days.
        """

    @abstractmethod
    def job_page(self, job: BulkJob, query: RowQuery, cursor: str | None = None, max_rows: int = 10_000) -> RowPage:
        """Return a page of a complete job's rows; cursors stay good as long as the job exists.

        :raises CursorExpiredError: Salesforce has forgotten the job.
        :raises JobFailedError: the job failed.
        """

    @abstractmethod
    def end_job(self, job_id: str) -> None:
        """Abort a job that works, and forget one that has ended; one that is gone already is no error."""

    @abstractmethod
    def updated(self, entity: str, start: datetime, end: datetime) -> Updated:
        """Return ids created or changed in the window; seconds are ignored, and it reaches back at most 30 days.

        :raises SourceRefusedError: the window is empty, too old, or holds more than 600,000 ids.
        """

    @abstractmethod
    def deleted(self, entity: str, start: datetime, end: datetime) -> Deleted:
        """Return ids deleted in the window; seconds are ignored, and it reaches back at most 15 days.

        :raises SourceRefusedError: the window is empty or too old.
        """

    @abstractmethod
    def usage(self) -> ApiUsage | None:
        """Return the use of the API as Salesforce last told it, without a call; ``None`` before the first one."""

    @abstractmethod
    def ping(self) -> None:
        """Return if Salesforce lets us in."""
