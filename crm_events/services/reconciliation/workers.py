"""The checks of Salesforce against the log, each a kind of run whose target is one Salesforce object."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from crm_events.domain.drift import Check
from crm_events.domain.identifiers import StreamKey
from crm_events.ports.api_budget import Purpose
from crm_events.running.runner import RunSession
from crm_events.services.fetching import IDS_PER_CALL
from crm_events.services.ids import compare_range, next_range
from crm_events.services.reconciliation.bookmarks import bookmark, keep_bookmark
from crm_events.services.reconciliation.records import CheckTools, RecordChecker
from crm_events.services.source_calls import SourceAccess, SourceCalls

# The first window of an object that was never checked.
_FIRST_WINDOW = timedelta(days=1)
# Salesforce answers no further back (getUpdated: 30 days, getDeleted: 15); a little less, for clocks.
_LONGEST_WINDOW = timedelta(days=14, hours=12)
_SHORTEST_WINDOW = timedelta(minutes=1)
_SAMPLE_SIZE = 500


class _Worker(ABC):
    """What all checks have: Salesforce, the log, and a name."""

    check: Check

    def __init__(self, access: SourceAccess, tools: CheckTools) -> None:
        self._access = access
        self._tools = tools

    @abstractmethod
    def work(self, session: RunSession) -> None:
        """Check from where the cursor stands."""

    def _begin(self, session: RunSession) -> tuple[SourceCalls, RecordChecker]:
        calls = SourceCalls(self._access, Purpose.RECONCILIATION, session)
        return calls, RecordChecker(self._tools, calls, session, self.check)


class WindowsWorker(_Worker):
    """Compare what Salesforce says was changed and deleted since the last time with the log.

    A window begins at the ``latestDateCovered`` of the one before, and ends so long before now that the events of its
    changes have come. The cursor is ``{"ids": [...], "start": iso}``: what is left to compare, and where the next one
    begins.
    """

    check = Check.WINDOWS

    def work(self, session: RunSession) -> None:
        """Ask for the window, then compare its records in batches."""
        calls, checker = self._begin(session)
        if session.cursor is None:
            self._ask(calls, session)
        while session.cursor["ids"]:
            ids = session.cursor["ids"][:IDS_PER_CALL]
            checker.check([StreamKey(session.run.target, entity_id) for entity_id in ids])
            session.cursor = {**session.cursor, "ids": session.cursor["ids"][IDS_PER_CALL:]}
            session.save()
        if session.cursor["start"]:
            keep_bookmark(self._name(session), session.cursor["start"], session.now)

    def _ask(self, calls: SourceCalls, session: RunSession) -> None:
        name = session.run.target
        start, end = self._window(session)
        if end - start < _SHORTEST_WINDOW:
            session.cursor = {"ids": [], "start": None}
            return
        updated = calls.make(partial(calls.source.updated, name, start, end))
        deleted = calls.make(partial(calls.source.deleted, name, start, end))
        covered = min(updated.latest_covered, deleted.latest_covered, end)
        ids = sorted({*updated.ids, *deleted.ids})
        when = f"from {start:%d %b %H:%M} to {end:%d %b %H:%M}"
        lines = [f"{len(updated.ids):,} changed and {len(deleted.ids):,} deleted {when}."]
        if deleted.earliest_available > start:
            lines.append(
                f"Salesforce knows of deletions only since {deleted.earliest_available:%d %b %H:%M}. The nightly"
                " comparison of all ids finds those before."
            )
        session.cursor = {"ids": ids, "start": covered.isoformat()}
        session.save(*lines, total=len(ids))

    def _window(self, session: RunSession) -> tuple[datetime, datetime]:
        end = session.now - self._tools.grace
        kept = bookmark(self._name(session))
        start = datetime.fromisoformat(kept) if kept else end - _FIRST_WINDOW
        return max(start, end - _LONGEST_WINDOW), end

    def _name(self, session: RunSession) -> str:
        return f"windows {session.run.target}"


class IdsWorker(_Worker):
    """Compare all ids of an object on both sides: the only way to see what is gone for good.

    The cursor is that of a range of ids.
    """

    check = Check.IDS

    def work(self, session: RunSession) -> None:
        """Compare range by range."""
        calls, checker = self._begin(session)
        while session.cursor != "done":
            wanted = next_range(self._tools.store, session.run.target, session.cursor)

            def check_new(streams: Sequence[StreamKey]) -> None:
                checker.check(streams)
                session.heartbeat()

            missing = compare_range(calls, wanted, check_new)
            checker.check(self._tools.writer.not_gone(missing))
            session.count("ids", len(wanted.ids))
            session.cursor = wanted.next_cursor or "done"
            session.save()


class SampleWorker(_Worker):
    """Compare some records field by field, other ones each time, until all had their turn."""

    check = Check.SAMPLE

    def work(self, session: RunSession) -> None:
        """Compare the next records of the object; after the last ones, the first."""
        _, checker = self._begin(session)
        name = f"sample {session.run.target}"
        size = int(session.run.parameters.get("size", _SAMPLE_SIZE))
        page = self._tools.store.list_streams(session.run.target, size, bookmark(name))
        checker.check([head.stream for head in page.heads])
        keep_bookmark(name, page.next_cursor, session.now)
