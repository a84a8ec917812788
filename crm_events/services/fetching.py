"""Records by their ids, read again from Salesforce: written if they are there, confirmed as gone if they are not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from crm_events.domain.events import EventSource
from crm_events.domain.identifiers import StreamKey
from crm_events.ports.crm_source import RowPage, RowQuery
from crm_events.services.rows import RowBatch, RowWriter
from crm_events.services.source_calls import SourceCalls

# Ids asked for in one call of the source.
IDS_PER_CALL = 2_000


@dataclass(slots=True)
class Fetched:
    """What reading some records again came to.

    ``written`` got their row, ``gone`` a DELETE, ``unchanged`` were as the log has them. ``invisible`` were not shown
    to us, who may not see every record: they are not taken for deleted, and stay as they are.
    """

    written: list[StreamKey] = field(default_factory=list)
    gone: list[StreamKey] = field(default_factory=list)
    unchanged: int = 0
    invisible: list[StreamKey] = field(default_factory=list)

    @property
    def changed(self) -> list[StreamKey]:
        """Return the streams that have a new event."""
        return [*self.written, *self.gone]


class RecordFetcher:
    """Read records of one object again and bring what Salesforce says into the log.

    ``wake`` is told which streams have new events.
    """

    def __init__(self, writer: RowWriter, wake: Callable[[Sequence[StreamKey]], None], source: EventSource) -> None:
        self._writer = writer
        self._wake = wake
        self._source = source

    def fetch(self, calls: SourceCalls, streams: Sequence[StreamKey], index: int = 0) -> Fetched:
        """Read the records of one object, those in the recycle bin too, at most ``IDS_PER_CALL`` of them.

        ``index`` is the place of the first of them in the run.

        :raises CrmSourceError: as ``SourceCalls.make`` says.
        """
        entity_name = streams[0].entity_name
        described = calls.make(partial(calls.source.describe, entity_name))
        query = RowQuery(entity_name, described.columns, include_deleted=True)
        ids = [stream.entity_id for stream in streams]
        page = calls.make(partial(calls.source.read_ids, query, ids))
        types = {column.name: column.type for column in described.fields}
        batch = RowBatch(
            entity_name, page.rows, page.read_start, self._source, calls.origin, first_index=index, types=types
        )
        written = self._writer.write(batch, calls.now)
        fetched = Fetched(list(written.streams), unchanged=written.unchanged)
        self._confirm(calls, missing_from(streams, page), page, fetched)
        self._wake(fetched.changed)
        return fetched

    def _confirm(self, calls: SourceCalls, missing: Sequence[StreamKey], page: RowPage, fetched: Fetched) -> None:
        left = self._writer.not_gone(missing)
        fetched.unchanged += len(missing) - len(left)
        if left and _sees_all(calls, left[0].entity_name):
            fetched.gone = self._writer.write_gone(left, page.read_start, self._source, calls.origin, calls.now)
        else:
            fetched.invisible = left


def missing_from(streams: Sequence[StreamKey], page: RowPage) -> list[StreamKey]:
    """Return the records of a read that Salesforce did not show."""
    there = {str(row.get("Id")) for row in page.rows}
    return [stream for stream in streams if stream.entity_id not in there]


def _sees_all(calls: SourceCalls, entity_name: str) -> bool:
    return calls.make(partial(calls.source.sees_all, entity_name))
