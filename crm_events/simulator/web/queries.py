"""Query, queryAll and the pages after the first (REST API Developer Guide, Query)."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from crm_events.simulator.org import SimulatedOrg
from crm_events.simulator.snapshots import Snapshot
from crm_events.simulator.soql import SoqlError, parse
from crm_events.simulator.soql.statement import Statement, statement_of
from crm_events.simulator.web.http import Answer, ApiError, Request, json_answer
from crm_events.simulator.web.permissions import object_permissions
from crm_events.simulator.web.rows import rest_row, selected, values_of

_PAGE = 2_000
_SMALLEST_PAGE = 200
# Salesforce keeps ten cursors of a user open, and closes the oldest for the next.
_OPEN_CURSORS = 10


@dataclass(slots=True)
class _Cursor:
    statement: Statement
    snapshot: Snapshot
    page: int
    opened_at: datetime


class Queries:
    """Answer queries; a locator serves the rows as of its query, until it is ``lifetime`` old."""

    def __init__(self, org: SimulatedOrg) -> None:
        self.lifetime = timedelta(days=2)
        self._org = org
        self._cursors: dict[str, _Cursor] = {}
        self._numbers = count(1)
        self._lock = threading.Lock()

    def query(self, request: Request, version: str, *, include_deleted: bool) -> Answer:
        """Answer with the first page of a query."""
        text = request.query.get("q")
        if not text:
            raise ApiError(400, "MALFORMED_QUERY", "SOQL statements cannot be empty or null")
        if (permissions := object_permissions(self._org, text, version)) is not None:
            return json_answer(permissions)
        statement = compiled(text, include_deleted=include_deleted)
        if statement.counts is not None:
            return self._counted(statement)
        # Deleted rows of tables are few; a snapshot costs a connection, which ten cursors may have.
        snapshot = Snapshot(self._org.store, statement, selected(statement.kind, statement.columns))
        cursor = _Cursor(statement, snapshot, _page_size(request), self._org.now())
        rows = cursor.snapshot.page(0, cursor.page)
        if snapshot.total <= len(rows):
            snapshot.close()
            return json_answer(_body(cursor, rows, version))
        return json_answer(_body(cursor, rows, version, f"{self._keep(cursor)}-{len(rows)}"))

    def more(self, locator: str, version: str) -> Answer:
        """Answer with the page that a locator names."""
        name, _, start = locator.partition("-")
        cursor = self._cursors.get(name)
        if cursor is None or not start.isdecimal() or self._org.now() - cursor.opened_at > self.lifetime:
            raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        rows = cursor.snapshot.page(int(start), cursor.page)
        end = int(start) + len(rows)
        following = f"{name}-{end}" if end < cursor.snapshot.total else ""
        return json_answer(_body(cursor, rows, version, following))

    def expire(self) -> None:
        """Close every cursor, as time or a restart of Salesforce does."""
        with self._lock:
            cursors, self._cursors = self._cursors, {}
        for cursor in cursors.values():
            cursor.snapshot.close()

    def _keep(self, cursor: _Cursor) -> str:
        with self._lock:
            name = f"01g{next(self._numbers):015d}"
            self._cursors[name] = cursor
            closed = [self._cursors.pop(next(iter(self._cursors)))] if len(self._cursors) > _OPEN_CURSORS else []
        for one in closed:
            one.snapshot.close()
        return name

    def _counted(self, statement: Statement) -> Answer:
        sql = f"SELECT count(*) FROM records WHERE {statement.condition}"  # noqa: S608
        number = self._org.store.value(sql, statement.parameters)
        if statement.counts == "":
            return json_answer({"totalSize": number, "done": True, "records": []})
        record = {"attributes": {"type": "AggregateResult"}, "expr0": number}
        return json_answer({"totalSize": 1, "done": True, "records": [record]})


def compiled(text: str, *, include_deleted: bool) -> Statement:
    """Return the statement of a query.

    :raises ApiError: what Salesforce says is wrong with it.
    """
    try:
        return statement_of(parse(text), include_deleted=include_deleted)
    except SoqlError as error:
        raise ApiError(400, error.code, error.message) from error


def _page_size(request: Request) -> int:
    option = request.headers.get("SFORCE_QUERY_OPTIONS", "").partition("batchSize=")[2]
    return min(max(int(option), _SMALLEST_PAGE), _PAGE) if option.isdecimal() else _PAGE


def _body(cursor: _Cursor, rows: Sequence[Sequence[Any]], version: str, following: str = "") -> dict[str, Any]:
    kind, columns = cursor.statement.kind, cursor.statement.columns
    body: dict[str, Any] = {"totalSize": cursor.snapshot.total, "done": not following}
    if following:
        # Of queryAll too.
        body["nextRecordsUrl"] = f"/services/data/v{version}/query/{following}"
    body["records"] = [rest_row(kind, columns, values_of(kind, columns, row), version) for row in rows]
    return body
