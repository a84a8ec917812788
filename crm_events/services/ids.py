"""All ids of an object, in Salesforce and in the log: the only way to see records that are gone for good."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from crm_events.domain.identifiers import StreamKey
from crm_events.ports.crm_source import RowPage, RowQuery
from crm_events.ports.event_store import EventStore
from crm_events.services.source_calls import SourceCalls

STREAMS_PER_RANGE = 2_000


@dataclass(frozen=True, slots=True)
class IdRange:
    """The ids of an object after one and up to another (``""`` for no bound), as the log has them."""

    entity_name: str
    after: str
    up_to: str
    ids: frozenset[str]
    next_cursor: dict[str, Any] | None

    @property
    def condition(self) -> str:
        """Return the range in SOQL. Ids compare by their bytes there too; PK chunking relies on it."""
        bounds = [f"Id > '{self.after}'"] if self.after else []
        bounds += [f"Id <= '{self.up_to}'"] if self.up_to else []
        return " AND ".join(bounds)


def next_range(store: EventStore, entity_name: str, cursor: dict[str, Any] | None) -> IdRange:
    """Return the range at a cursor; its ``next_cursor`` is ``None`` for the last one, which has no upper bound."""
    cursor = cursor or {"streams": None, "after": ""}
    page = store.list_streams(entity_name, STREAMS_PER_RANGE, cursor["streams"])
    ids = [head.stream.entity_id for head in page.heads]
    if page.next_cursor is None:
        return IdRange(entity_name, cursor["after"], "", frozenset(ids), None)
    after = {"streams": page.next_cursor, "after": ids[-1]}
    return IdRange(entity_name, cursor["after"], ids[-1], frozenset(ids), after)


def compare_range(
    calls: SourceCalls, wanted: IdRange, only_in_salesforce: Callable[[Sequence[StreamKey]], None]
) -> list[StreamKey]:
    """Hand over the records that only Salesforce has, page by page; return those that only the log has, sorted.

    Records in Salesforce's recycle bin count as not there. Whoever is missing on either side may have come or gone
    since: read it by its id before believing it.
    """
    unseen = set(wanted.ids)
    for page in _pages(calls, RowQuery(wanted.entity_name, ("Id",), wanted.condition)):
        found = {str(row["Id"]) for row in page.rows}
        if new := sorted(found - wanted.ids):
            only_in_salesforce([StreamKey(wanted.entity_name, entity_id) for entity_id in new])
        unseen -= found
    return [StreamKey(wanted.entity_name, entity_id) for entity_id in sorted(unseen)]


def _pages(calls: SourceCalls, query: RowQuery) -> Iterator[RowPage]:
    cursor: str | None = None
    while True:
        page = calls.make(partial(calls.source.read, query, cursor))
        yield page
        cursor = page.next_cursor
        if cursor is None:
            return
