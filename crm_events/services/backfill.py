"""Backfill: the rows that Salesforce has of an object, brought into the log beside live changes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any

from crm_events.domain.events import EventSource
from crm_events.domain.identifiers import StreamKey
from crm_events.ports.api_budget import Purpose
from crm_events.ports.crm_source import BulkJob, CursorExpiredError, JobFailedError, JobState, RowPage, RowQuery
from crm_events.running.runner import RunFailedError, RunSession
from crm_events.services.rows import RowBatch, RowWriter
from crm_events.services.source_calls import SourceAccess, SourceCalls

KIND = "backfill"
REST_PAGE = 2_000
BULK_PAGE = 10_000
# From here on a bulk job takes fewer calls than pages of REST, and does not time out.
BULK_FROM = 10_000
_POLL = timedelta(seconds=5)
# Creating a job, asking after it now and then, forgetting it.
_CALLS_AROUND_A_JOB = 10
_IDS_SHOWN = 3


class Mode(StrEnum):
    """By which of Salesforce's interfaces the rows are read."""

    AUTO = "auto"
    REST = "rest"
    BULK = "bulk"


WAYS = {Mode.REST: "REST", Mode.BULK: "a bulk job"}


@dataclass(frozen=True, slots=True)
class BackfillOptions:
    """Which rows to bring in, and how.

    ``since`` keeps to rows modified at that time or after, ``where`` is a condition in SOQL, ``ids`` names records
    instead of both. ``dry_run`` writes nothing and counts what would be written. Silent unless ``broadcast``.
    ``include_deleted`` reads the recycle bin too.
    """

    since: datetime | None = None
    where: str = ""
    ids: Sequence[str] = ()
    mode: Mode = Mode.AUTO
    dry_run: bool = False
    broadcast: bool = False
    include_deleted: bool = False

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> "BackfillOptions":
        """Read the parameters of a run.

        :raises ValueError: one of them is none that ``to_parameters`` wrote.
        """
        since = parameters.get("since")
        return cls(
            since=datetime.fromisoformat(since) if since else None,
            where=parameters.get("where", ""),
            ids=tuple(parameters.get("ids", ())),
            mode=Mode(parameters.get("mode", Mode.AUTO)),
            dry_run=bool(parameters.get("dry_run")),
            broadcast=bool(parameters.get("broadcast")),
            include_deleted=bool(parameters.get("include_deleted")),
        )

    def to_parameters(self) -> dict[str, Any]:
        """Return the parameters of a run."""
        return {
            "since": self.since.isoformat() if self.since else None,
            "where": self.where,
            "ids": list(self.ids),
            "mode": self.mode.value,
            "dry_run": self.dry_run,
            "broadcast": self.broadcast and not self.dry_run,  # a dry run tells nobody
            "include_deleted": self.include_deleted,
        }

    @property
    def condition(self) -> str:
        """Return the condition in SOQL."""
        conditions = [f"({self.where})"] if self.where else []
        if self.since is not None:
            conditions.append(f"SystemModstamp >= {self.since.strftime('%Y-%m-%dT%H:%M:%SZ')}")
        return " AND ".join(conditions)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a backfill will cost: rows to read, calls of Salesforce's API, and by which way they come."""

    rows: int
    calls: int
    mode: Mode


def estimate(options: BackfillOptions, rows: int) -> Estimate:
    """Work out what reading so many rows takes."""
    mode = _mode(options, rows)
    if mode is Mode.BULK:
        return Estimate(rows, _CALLS_AROUND_A_JOB + _pages(rows, BULK_PAGE), mode)
    return Estimate(rows, 2 + max(1, _pages(rows, REST_PAGE)), mode)


def _mode(options: BackfillOptions, rows: int) -> Mode:
    if options.mode is not Mode.AUTO:
        return options.mode
    return Mode.BULK if rows >= BULK_FROM and not options.ids else Mode.REST


def _job_failed(why: str) -> str:
    remedy = "Next: read fewer rows with --since or --where, or by --mode rest."
    return f"Salesforce could not prepare the rows: {why}. {remedy}"


def _pages(rows: int, size: int) -> int:
    return -(-rows // size)


@dataclass(slots=True)
class _Reading:
    """One backfill under way: the run, its options, the columns and their types."""

    session: RunSession
    calls: SourceCalls
    options: BackfillOptions
    types: Mapping[str, str]

    @property
    def query(self) -> RowQuery:
        return RowQuery(self.session.run.target, list(self.types), self.options.condition, self.options.include_deleted)


class BackfillWorker:
    """Work runs of kind ``backfill``; the target is a Salesforce object.

    The cursor is ``{"mode", "page", "index", "job"}``: by which way the rows come, the source's own cursor of the next
    page, how many rows were read, and the bulk job. ``wake`` is told which streams have new events; ``source`` is what
    the events say of their origin.
    """

    def __init__(
        self,
        access: SourceAccess,
        writer: RowWriter,
        wake: Callable[[Sequence[StreamKey]], None],
        *,
        source: EventSource = EventSource.BACKFILL,
        purpose: Purpose = Purpose.BACKFILL,
    ) -> None:
        self._access = access
        self._source = source
        self._purpose = purpose
        self._writer = writer
        self._wake = wake

    def work(self, session: RunSession) -> None:
        """Read from where the cursor stands to the end."""
        options = BackfillOptions.from_parameters(session.run.parameters)
        calls = SourceCalls(self._access, self._purpose, session)
        described = calls.make(lambda: calls.source.describe(session.run.target))
        columns = set(described.columns)
        types = {field.name: field.type for field in described.fields if field.name in columns}
        reading = _Reading(session, calls, options, types)
        try:
            self._read(reading)
        except JobFailedError as error:
            raise RunFailedError(_job_failed(str(error))) from error
        except CursorExpiredError as error:
            session.cursor = None
            session.counts.pop("rows", None)
            session.save(
                f"Salesforce has forgotten where the reading stood ({error.code}); it begins again. Rows that are in"
                " the log already are not written twice."
            )
            self._read(reading)

    def _read(self, reading: _Reading) -> None:
        if reading.session.cursor is None:
            self._begin(reading)
        mode = reading.session.cursor["mode"]
        if reading.options.ids:
            self._read_ids(reading)
        elif mode == Mode.BULK:
            self._read_job(reading)
        else:
            self._read_pages(reading)

    def _begin(self, reading: _Reading) -> None:
        session, calls = reading.session, reading.calls
        rows = len(reading.options.ids) or calls.make(lambda: calls.source.count(reading.query))
        expected = estimate(reading.options, rows)
        session.cursor = {"mode": expected.mode.value, "page": None, "index": 0, "job": None}
        session.save(f"{rows:,} rows to read by {WAYS[expected.mode]}, about {expected.calls:,} calls.", total=rows)

    def _read_pages(self, reading: _Reading) -> None:
        calls = reading.calls
        while True:
            page = calls.make(lambda: calls.source.read(reading.query, reading.session.cursor["page"]))
            self._take(reading, page)
            if page.next_cursor is None:
                return

    def _read_ids(self, reading: _Reading) -> None:
        ids = reading.options.ids
        while (start := reading.session.cursor["index"]) < len(ids):
            some = ids[start : start + REST_PAGE]
            page = reading.calls.make(partial(reading.calls.source.read_ids, reading.query, some))
            missing = len(some) - len(page.rows)
            reading.session.count("missing", missing)
            self._take(reading, page, advance=len(some))

    def _read_job(self, reading: _Reading) -> None:
        calls, session = reading.calls, reading.session
        job = self._await_job(reading)
        while True:
            page = calls.make(lambda: calls.source.job_page(job, reading.query, session.cursor["page"], BULK_PAGE))
            self._take(reading, page)
            if page.next_cursor is None:
                calls.make(lambda: calls.source.end_job(job.id))
                return

    def _await_job(self, reading: _Reading) -> BulkJob:
        calls, session = reading.calls, reading.session
        if session.cursor["job"] is None:
            job = calls.make(lambda: calls.source.create_job(reading.query))
            session.cursor = {**session.cursor, "job": job.id}
            session.save(f"Salesforce prepares the rows (bulk job {job.id}).")
        job = calls.make(lambda: calls.source.job(session.cursor["job"]))
        while job.state is JobState.WORKING:
            session.rest(session.now + _POLL)
            job = calls.make(partial(calls.source.job, job.id))
        if job.state is JobState.FAILED:
            raise RunFailedError(_job_failed(job.error or "it does not say why"))
        return job

    def _take(self, reading: _Reading, page: RowPage, advance: int | None = None) -> None:
        session, options = reading.session, reading.options
        batch = RowBatch(
            entity_name=session.run.target,
            rows=page.rows,
            read_start=page.read_start,
            source=self._source,
            origin=reading.calls.origin,
            broadcast=options.broadcast,
            first_index=session.cursor["index"],
            types=reading.types,
        )
        plan = self._writer.plan(batch) if options.dry_run else self._writer.write(batch, session.now)
        if not options.dry_run:
            self._wake(plan.streams)
        session.count("rows", len(page.rows))
        session.count("recorded", len(plan.streams))
        session.count("unchanged", plan.unchanged)
        session.count("unreadable", len(plan.unreadable))
        taken = len(page.rows) if advance is None else advance
        session.cursor = {**session.cursor, "page": page.next_cursor, "index": session.cursor["index"] + taken}
        session.save(*plan.unreadable[:_IDS_SHOWN])
