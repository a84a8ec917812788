"""Rows as of one moment, page by page: a connection that keeps its view of the data while others change it."""

import threading
from collections.abc import Sequence
from typing import Any

from crm_events.simulator.soql.statement import Statement
from crm_events.simulator.store import Store


class Snapshot:
    """The rows of a statement as they are now; without an order of its own, by id.

    ``newest_first`` gives them in the order in which records were made, backwards, as unlike any other as can be.
    """

    def __init__(self, store: Store, statement: Statement, selected: str, *, newest_first: bool = False) -> None:
        self._statement = statement
        self._selected = selected
        self._key, self._sign, self._direction = ("rowid", "<", "DESC") if newest_first else ("id", ">", "ASC")
        # Where pages begin that were not asked for yet: how many rows are before them, and the last of those.
        self._starts: dict[int, Any] = {}
        self._lock = threading.Lock()
        self._store = store
        self._connection = store.connect()
        self._connection.execute("BEGIN")
        self.total = self._count()

    def page(self, start: int, size: int) -> list[Sequence[Any]]:
        """Return up to ``size`` rows after the first ``start``."""
        size = min(size, self.total - start)
        if size <= 0:
            return []
        with self._lock:
            if self._statement.order:
                return self._by_offset(start, size)
            return self._by_key(start, size)

    def close(self) -> None:
        """Let go of the view."""
        with self._lock:
            self._store.disconnect(self._connection)

    def _count(self) -> int:
        sql = f"SELECT count(*) FROM records WHERE {self._statement.condition}"  # noqa: S608
        count: int = self._connection.execute(sql, self._statement.parameters).fetchone()[0]
        return count if self._statement.limit is None else min(count, self._statement.limit)

    def _by_offset(self, start: int, size: int) -> list[Sequence[Any]]:
        order = f"{self._statement.order}, {self._key} {self._direction}"
        sql = self._sql(self._statement.condition, order) + " LIMIT ? OFFSET ?"
        return [row[1:] for row in self._connection.execute(sql, [*self._statement.parameters, size, start])]

    def _by_key(self, start: int, size: int) -> list[Sequence[Any]]:
        if start and start not in self._starts:
            return self._skip_to(start, size)
        condition, parameters = self._statement.condition, [*self._statement.parameters]
        if start:
            condition = f"{condition} AND {self._key} {self._sign} ?"
            parameters.append(self._starts[start])
        sql = self._sql(condition, f"{self._key} {self._direction}") + " LIMIT ?"
        rows = self._connection.execute(sql, [*parameters, size]).fetchall()
        if rows:
            self._starts[start + len(rows)] = rows[-1][0]
        return [row[1:] for row in rows]

    def _skip_to(self, start: int, size: int) -> list[Sequence[Any]]:
        sql = self._sql(self._statement.condition, f"{self._key} {self._direction}") + " LIMIT 1 OFFSET ?"
        row = self._connection.execute(sql, [*self._statement.parameters, start - 1]).fetchone()
        self._starts[start] = row[0]
        return self._by_key(start, size)

    def _sql(self, condition: str, order: str) -> str:
        return f"SELECT {self._key}, {self._selected} FROM records WHERE {condition} ORDER BY {order}"  # noqa: S608
