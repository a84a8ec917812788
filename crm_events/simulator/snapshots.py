"""Rows as of one moment, page by page: a connection that keeps its view of the data while others change it."""

import threading
from collections.abc import Iterator, Sequence
from typing import Any

from crm_events.simulator.soql.statement import Statement
from crm_events.simulator.store import Store


class Snapshot:
    """The rows of a statement as they are now; without an order of its own, by id.

    ``newest_first`` turns that round. Whoever reads page after page costs one pass over the rows; the page before can
    be had again, and any other at the price of going there.
    """

    def __init__(self, store: Store, statement: Statement, selected: str, *, newest_first: bool = False) -> None:
        by_id = f"id {'DESC' if newest_first else 'ASC'}"
        order = f"{statement.order}, {by_id}" if statement.order else by_id
        self._sql = f"SELECT {selected} FROM records WHERE {statement.condition} ORDER BY {order}"  # noqa: S608
        self._parameters = statement.parameters
        self._lock = threading.Lock()
        self._store = store
        self._connection = store.connect()
        self._connection.execute("BEGIN")
        self.total = self._count(statement)
        self._rows: Any = None
        self._next = 0
        self._last: tuple[int, list[Sequence[Any]]] = (0, [])

    def page(self, start: int, size: int) -> list[Sequence[Any]]:
        """Return up to ``size`` rows after the first ``start``."""
        size = min(size, self.total - start)
        if size <= 0:
            return []
        with self._lock:
            before, rows = self._last
            if before == start and len(rows) == size:
                return rows
            if self._rows is None or self._next != start:
                parameters = [*self._parameters, self.total - start, start]
                self._rows = self._connection.execute(f"{self._sql} LIMIT ? OFFSET ?", parameters)
            found: list[Sequence[Any]] = self._rows.fetchmany(size)
            self._next, self._last = start + len(found), (start, found)
            return found

    def pages(self, size: int) -> Iterator[list[Sequence[Any]]]:
        """Yield all rows, so many at a time."""
        for start in range(0, self.total, size):
            yield self.page(start, size)

    def close(self) -> None:
        """Let go of the view."""
        with self._lock:
            self._rows = None
            self._store.disconnect(self._connection)

    def _count(self, statement: Statement) -> int:
        sql = f"SELECT count(*) FROM records WHERE {statement.condition}"  # noqa: S608
        count: int = self._connection.execute(sql, statement.parameters).fetchone()[0]
        return count if statement.limit is None else min(count, statement.limit)
