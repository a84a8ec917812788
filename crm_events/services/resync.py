"""Resync of a whole object, where Salesforce said that it cannot tell what changed (overflow, wildcard ids)."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from crm_events.domain.events import EventSource
from crm_events.domain.identifiers import StreamKey
from crm_events.models import Notice
from crm_events.ports.api_budget import Purpose
from crm_events.ports.event_store import EventStore
from crm_events.ports.runs import RunQuery, RunRequest, Runs, RunStatus, RunView
from crm_events.running.runner import RunSession
from crm_events.services.backfill import BackfillOptions, BackfillWorker
from crm_events.services.fetching import Fetched, RecordFetcher
from crm_events.services.ids import compare_range, next_range
from crm_events.services.rows import RowWriter
from crm_events.services.source_calls import SourceAccess, SourceCalls

KIND = "resync"
_REST_AFTER_FAILURE = timedelta(minutes=15)
_EVERYTHING = BackfillOptions(include_deleted=True).to_parameters()


def start_if_needed(runs: Runs, now: datetime) -> list[RunView]:
    """Queue a resync for each object that has open notices, one however many there are; return the new runs.

    A notice that comes while its object is being read again is answered by the next resync: what it tells of may have
    changed rows that were read before.
    """
    names = Notice.objects.filter(resolved_at=None).values_list("entity_name", flat=True).distinct().order_by()
    return [runs.create(_request(name), now) for name in sorted(names) if _is_due(runs, name, now)]


def _is_due(runs: Runs, name: str, now: datetime) -> bool:
    if runs.find_unfinished(KIND, name) is not None:
        return False
    last = next(iter(runs.find(RunQuery(kinds=[KIND], target=name, limit=1))), None)
    failed = last is not None and last.status is not RunStatus.DONE
    return not (failed and last and last.finished_at and now < last.finished_at + _REST_AFTER_FAILURE)


def _request(name: str) -> RunRequest:
    return RunRequest(KIND, name, _EVERYTHING, "the service", "Salesforce could not tell its single changes.")


class ResyncWorker:
    """Work runs of kind ``resync``; the target is a Salesforce object.

    First every row, recycle bin included, then all ids against the log. The cursor is a backfill's, then
    ``{"ids": at}``. Notices that came before the run began are answered when it ends.
    """

    def __init__(
        self,
        access: SourceAccess,
        store: EventStore,
        writer: RowWriter,
        wake: Callable[[Sequence[StreamKey]], None],
    ) -> None:
        self._access = access
        self._store = store
        self._writer = writer
        self._rows = BackfillWorker(access, writer, wake, source=EventSource.GAP_REPAIR, purpose=Purpose.REPAIR)
        self._fetcher = RecordFetcher(writer, wake, EventSource.GAP_REPAIR)

    def work(self, session: RunSession) -> None:
        """Go on from where the cursor stands."""
        began = session.run.started_at or session.now
        if not _is_comparing(session.cursor):
            self._rows.work(session)
            session.cursor = {"ids": None}
            session.save("All rows are read. Now the ids of both sides are compared.")
        calls = SourceCalls(self._access, Purpose.REPAIR, session)
        while session.cursor["ids"] != "done":
            self._compare(calls, session)
        Notice.objects.filter(entity_name=session.run.target, resolved_at=None, received_at__lte=began).update(
            resolved_at=session.now
        )

    def _compare(self, calls: SourceCalls, session: RunSession) -> None:
        wanted = next_range(self._store, session.run.target, session.cursor["ids"])
        missing = compare_range(calls, wanted, lambda streams: self._fetch(calls, streams, session))
        self._fetch(calls, self._writer.not_gone(missing), session)
        session.cursor = {"ids": wanted.next_cursor or "done"}
        session.save()

    def _fetch(self, calls: SourceCalls, streams: Sequence[StreamKey], session: RunSession) -> None:
        if not streams:
            return
        fetched: Fetched = self._fetcher.fetch(calls, streams)
        session.count("recorded", len(fetched.written))
        session.count("gone", len(fetched.gone))
        session.count("invisible", len(fetched.invisible))
        session.heartbeat()


def _is_comparing(cursor: object) -> bool:
    return isinstance(cursor, dict) and "ids" in cursor
