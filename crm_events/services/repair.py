"""Gap repair: dirty records are read again from Salesforce until none is dirty."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from crm_events.domain.events import EventSource
from crm_events.domain.identifiers import StreamKey
from crm_events.ports.api_budget import Purpose
from crm_events.ports.event_store import EventStore, StreamFlag
from crm_events.ports.runs import RunQuery, RunRequest, Runs, RunStatus, RunView
from crm_events.running.runner import RunSession
from crm_events.services.fetching import IDS_PER_CALL, RecordFetcher
from crm_events.services.rows import RowWriter
from crm_events.services.source_calls import CallRefusedError, SourceAccess, SourceCalls

KIND = "repair"
# After a run that could repair nothing; reading the same records at once would only cost calls.
_REST_WITHOUT_SUCCESS = timedelta(minutes=5)
_COUNTS_OF_SUCCESS = ("recorded", "gone")


def start_if_needed(store: EventStore, runs: Runs, now: datetime) -> RunView | None:
    """Queue a repair if there are dirty records and nobody is at it; return the run."""
    if not store.flagged_streams(StreamFlag.DIRTY, 1).heads or runs.find_unfinished(KIND, ""):
        return None
    last = next(iter(runs.find(RunQuery(kinds=[KIND], limit=1))), None)
    if last is not None and _was_in_vain(last) and last.finished_at and now < last.finished_at + _REST_WITHOUT_SUCCESS:
        return None
    return runs.create(RunRequest(KIND, "", {}, "the service", "Records have to be read again from Salesforce."), now)


def _was_in_vain(run: RunView) -> bool:
    return run.status is not RunStatus.DONE or not any(run.counts.get(name) for name in _COUNTS_OF_SUCCESS)


class RepairWorker:
    """Work runs of kind ``repair``: walk the dirty records once, and read them again in batches, object by object.

    The cursor is the store's own. A row that is not later than the gap it answers leaves its record dirty, and the next
    run reads it again.
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
        self._fetcher = RecordFetcher(writer, wake, EventSource.GAP_REPAIR)

    def work(self, session: RunSession) -> None:
        """Read what is dirty from where the cursor stands."""
        calls = SourceCalls(self._access, Purpose.REPAIR, session)
        while True:
            page = self._store.flagged_streams(StreamFlag.DIRTY, IDS_PER_CALL, session.cursor)
            for streams in _by_object([head.stream for head in page.heads]):
                self._repair(calls, streams, session)
            session.cursor = page.next_cursor
            session.save()
            if page.next_cursor is None:
                return

    def _repair(self, calls: SourceCalls, streams: Sequence[StreamKey], session: RunSession) -> None:
        name = streams[0].entity_name
        try:
            fetched = self._fetcher.fetch(calls, streams, session.counts.get("read", 0))
        except CallRefusedError as refusal:
            session.count("refused", len(streams))
            session.heartbeat(
                f"{len(streams)} records of {name} cannot be read: {refusal.error}. Next: let the API user see {name}."
            )
            return
        session.count("read", len(streams))
        session.count("recorded", len(fetched.written))
        session.count("gone", len(fetched.gone))
        session.count("unchanged", fetched.unchanged)
        session.count("invisible", len(fetched.invisible))
        if fetched.invisible:
            session.heartbeat(
                f"Salesforce does not show {len(fetched.invisible)} of {len(streams)} records of {name}; they are not"
                f" taken for deleted. Next: give the API user “View All” of {name}, so that both can be told apart."
            )


def _by_object(streams: Sequence[StreamKey]) -> list[list[StreamKey]]:
    grouped: dict[str, list[StreamKey]] = defaultdict(list)
    for stream in streams:
        grouped[stream.entity_name].append(stream)
    return list(grouped.values())
