"""Records read by their ids and compared with the log; what differs is judged, mended through the log and reported."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from crm_events.cdc.times import epoch_ms
from crm_events.domain.drift import Cause, Check, Difference, Remedy
from crm_events.domain.events import EventSource
from crm_events.domain.identifiers import StreamKey
from crm_events.domain.order import OrderKey
from crm_events.ports.crm_source import ObjectDescription, RowPage, RowQuery
from crm_events.ports.drift_report import DriftReport
from crm_events.ports.event_store import EventStore
from crm_events.running.runner import RunSession
from crm_events.services.fetching import missing_from
from crm_events.services.reconciliation.causes import Evidence, Judge
from crm_events.services.reconciliation.feeds import note_missed
from crm_events.services.rows import RowBatch, RowsWritten, RowWriter
from crm_events.services.source_calls import SourceCalls


@dataclass(frozen=True, slots=True)
class CheckTools:
    """What checks of records work with. ``grace`` is how long an event may take from Salesforce to the log."""

    store: EventStore
    writer: RowWriter
    report: DriftReport
    wake: Callable[[Sequence[StreamKey]], None]
    grace: timedelta


class RecordChecker:
    """Compare records of one object with the log, for one check of one run.

    Parameter ``repair`` of the run (true if absent) says whether differences are mended; they are reported either way.
    """

    def __init__(self, tools: CheckTools, calls: SourceCalls, session: RunSession, check: Check) -> None:
        self._tools = tools
        self._calls = calls
        self._session = session
        self._check = check
        self._repairs = bool(session.run.parameters.get("repair", True))

    def check(self, streams: Sequence[StreamKey]) -> None:
        """Compare records of one object with Salesforce, those in its recycle bin too.

        :raises CrmSourceError: as ``SourceCalls.make`` says.
        """
        if not streams:
            return
        described = self._calls.make(partial(self._calls.source.describe, streams[0].entity_name))
        query = RowQuery(described.entity, described.columns, include_deleted=True)
        page = self._calls.make(partial(self._calls.source.read_ids, query, [stream.entity_id for stream in streams]))
        found = self._judge_rows(described, page) + self._judge_missing(missing_from(streams, page), page)
        self._tools.report.add(self._session.run.id, found, self._session.now)
        self._session.count("checked", len(streams))
        self._session.count("differences", len(found))
        for difference in found:
            self._session.count(f"cause: {difference.cause}")

    def _judge_rows(self, described: ObjectDescription, page: RowPage) -> list[Difference]:
        types = {column.name: column.type for column in described.fields}
        batch = RowBatch(
            described.entity, page.rows, page.read_start, EventSource.RECONCILIATION, self._calls.origin, types=types
        )
        planned = self._tools.writer.plan(batch)
        if not planned.streams:
            return []
        calculated = {column.name for column in described.fields if column.is_calculated}
        judge = Judge(self._check, calculated, self._tools.grace)
        known = self._evidence(batch, planned)
        found = {evidence.stream: judge.judge(evidence, page.read_start) for evidence in known}
        _note_missed([one for one in known if found[one.stream].cause is Cause.MISSED_EVENT])
        self._mend(batch, [stream for stream, one in found.items() if one.remedy is Remedy.READ_AGAIN])
        return [self._as_done(one) for one in found.values()]

    def _evidence(self, batch: RowBatch, planned: RowsWritten) -> list[Evidence]:
        """Return what is known of each record whose row says something new.

        One that only has to be read again (dirty, incomplete) says nothing new: gap repair is on its way to it.
        """
        heads = self._tools.store.heads(list(planned.streams))
        rows = {str(row["Id"])[:15]: row for row in batch.rows if row.get("Id")}
        return [
            Evidence(
                stream,
                rows[stream.entity_id[:15]],
                differences,
                is_known=stream in heads,
                newest_commit_ms=_commit_ms(heads[stream].newest_position) if stream in heads else None,
            )
            for stream, differences in planned.differences.items()
            if differences or stream not in heads
        ]

    def _mend(self, batch: RowBatch, streams: Sequence[StreamKey]) -> None:
        if not self._repairs or not streams:
            return
        wanted = {stream.entity_id[:15] for stream in streams}
        rows = [row for row in batch.rows if str(row.get("Id"))[:15] in wanted]
        written = self._tools.writer.write(replace(batch, rows=rows), self._session.now)
        self._tools.wake(written.streams)

    def _judge_missing(self, missing: Sequence[StreamKey], page: RowPage) -> list[Difference]:
        """Judge records that Salesforce does not show at all, though the log does not know them as deleted."""
        left = self._tools.writer.not_gone(missing)
        if not left:
            return []
        if not self._calls.make(partial(self._calls.source.sees_all, left[0].entity_name)):
            words = (
                "Salesforce does not show the record. It may be gone for good, or hidden from the API user. Next: give"
                " the API user “View All”, so that one can be told from the other."
            )
            return [self._missing(stream, Cause.NOT_VISIBLE, words, Remedy.LEFT) for stream in left]
        if self._repairs:
            gone = self._tools.writer.write_gone(
                left, page.read_start, EventSource.RECONCILIATION, self._calls.origin, self._session.now
            )
            self._tools.wake(gone)
        words = "The record is gone for good, and no event told of it."
        return [self._as_done(self._missing(stream, Cause.HARD_DELETE, words, Remedy.DELETED)) for stream in left]

    def _missing(self, stream: StreamKey, cause: Cause, words: str, remedy: Remedy) -> Difference:
        return Difference(self._check, cause, str(stream), (), words, remedy)

    def _as_done(self, difference: Difference) -> Difference:
        return (
            difference if self._repairs or difference.remedy is Remedy.LEFT else replace(difference, remedy=Remedy.NONE)
        )


def _commit_ms(position: str) -> int:
    return OrderKey.parse(position.partition("#")[0]).commit_timestamp


def _note_missed(missed: Sequence[Evidence]) -> None:
    """Tell the recovery clock of changes that no event told of."""
    modified = [ms for one in missed if (ms := epoch_ms(one.row.get("SystemModstamp"))) is not None]
    if modified:
        note_missed(missed[0].stream.entity_name, datetime.fromtimestamp(max(modified) / 1000, UTC))
