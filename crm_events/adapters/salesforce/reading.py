"""Rows by REST: pages of a query, and records by their ids."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from simple_salesforce.api import Salesforce

from crm_events.adapters.salesforce import soql
from crm_events.adapters.salesforce.calls import Caller
from crm_events.adapters.salesforce.clock import SalesforceClock
from crm_events.adapters.salesforce.describing import Descriptions
from crm_events.adapters.salesforce.errors import error_of_answer, expected_answer
from crm_events.ports.crm_source import (
    CursorExpiredError,
    ObjectDescription,
    Row,
    RowPage,
    RowQuery,
    SourceRefusedError,
    SourceUnavailableError,
)

# A collection returns up to 2,000 records for one call, its ids travel in the body ("Get Records With a Request Body
# Using sObject Collections"); a statement may have 100,000 characters, of which 2,000 ids take less than half.
IDS_AT_A_TIME = 2_000
# Address and headers may have 16,384 bytes together; longer queries go into the body of a composite call, which counts
# as one call too (Salesforce Help 000386264).
_LONGEST_QUERY = 8_000
_NEXT_PATH = re.compile(r"/services/data/v[0-9]+\.[0-9]/query(?:All)?/[0-9A-Za-z_~%=-]+")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Cursor:
    """Where a read goes on: the path Salesforce gave, and what later pages have to tell of its beginning."""

    path: str
    began_ms: int
    total: int

    @classmethod
    def parse(cls, text: str) -> "_Cursor":
        try:
            path, began_ms, total = json.loads(text)
            cursor = cls(str(path), int(began_ms), int(total))
        except (ValueError, TypeError) as error:
            raise _bad_cursor(text) from error
        if not _NEXT_PATH.fullmatch(cursor.path):
            raise _bad_cursor(text)
        return cursor

    def __str__(self) -> str:
        return json.dumps([self.path, self.began_ms, self.total], separators=(",", ":"))


class Reader:
    """Read rows by REST."""

    def __init__(self, caller: Caller, clock: SalesforceClock, descriptions: Descriptions, margin: timedelta) -> None:
        self._caller = caller
        self._clock = clock
        self._descriptions = descriptions
        self._margin = margin

    def count(self, query: RowQuery) -> int:
        """Return how many rows the query has."""
        statement = soql.count(query)
        with expected_answer():
            return int(self._run(statement, query)["totalSize"])

    def first(self, query: RowQuery) -> RowPage:
        """Return the first page of a query."""
        statement = soql.select(query, self._descriptions.of(query.entity))
        mark = self._clock.mark()
        with expected_answer():
            answer = self._run(statement, query)
            return _page(answer, self._began_ms(mark), int(answer["totalSize"]))

    def next(self, text: str) -> RowPage:
        """Return the page that a cursor stands for.

        :raises CursorExpiredError: it is too old, or is none.
        """
        cursor = _Cursor.parse(text)
        try:
            answer = self._follow(cursor.path)
        except SourceRefusedError as error:
            if error.code != "NOT_FOUND":
                raise
            raise CursorExpiredError(error.code, "Salesforce does not know this cursor any more") from error
        with expected_answer():
            return _page(answer, cursor.began_ms, cursor.total)

    def by_ids(self, query: RowQuery, ids: Sequence[str]) -> RowPage:
        """Return those of the named records that there are."""
        wanted = soql.checked_ids(ids)
        description = self._descriptions.of(query.entity)
        mark = self._clock.mark()
        read = self._queried if query.where or query.include_deleted else self._collected
        with expected_answer():
            rows = [row for chunk in _chunks(wanted) for row in read(query, description, chunk)]
        if not wanted:  # nothing was asked, and the clock may not be known yet
            self._caller.ask("")
        return RowPage(rows, _moment(self._began_ms(mark)), total=len(rows))

    def _queried(self, query: RowQuery, description: ObjectDescription, ids: Sequence[str]) -> Iterator[Row]:
        statement = soql.select(query, description, ids)
        answer = self._run(statement, query)
        while True:
            yield from _rows(answer["records"])
            if answer["done"]:
                return
            answer = self._follow(_next_path(answer))

    def _collected(self, query: RowQuery, description: ObjectDescription, ids: Sequence[str]) -> Sequence[Row]:
        soql.check_columns(query, description)
        body = {"ids": ids, "fields": list(query.columns)}
        path = f"composite/sobjects/{query.entity}"
        answer = self._caller.ask(path, "POST", json=body) or []
        return _rows([record for record in answer if record is not None])

    def _run(self, statement: str, query: RowQuery) -> dict[str, Any]:
        return self._caller.call(lambda client: _run(client, statement, query.include_deleted))

    def _follow(self, path: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._caller.call(lambda client: client.query_more(path, identifier_is_url=True))
        return answer

    def _began_ms(self, mark: float) -> int:
        began = self._clock.not_later_than(mark) - self._margin
        return (began - _EPOCH) // timedelta(milliseconds=1)


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), IDS_AT_A_TIME):
        yield ids[start : start + IDS_AT_A_TIME]


def _run(client: Salesforce, statement: str, include_deleted: bool) -> dict[str, Any]:
    if len(quote(statement)) <= _LONGEST_QUERY:
        answer: dict[str, Any] = client.query(statement, include_deleted=include_deleted)
        return answer
    resource = "queryAll" if include_deleted else "query"
    url = f"/services/data/v{client.sf_version}/{resource}/?q={quote(statement)}"
    body = {"compositeRequest": [{"method": "GET", "url": url, "referenceId": "rows"}]}
    part = (client.restful("composite", method="POST", json=body) or {})["compositeResponse"][0]
    if part["httpStatusCode"] >= 300:  # noqa: PLR2004  # as of any answer
        raise error_of_answer(part["httpStatusCode"], part["body"])
    found: dict[str, Any] = part["body"]
    return found


def _page(answer: Mapping[str, Any], began_ms: int, total: int) -> RowPage:
    cursor = None if answer["done"] else str(_Cursor(_next_path(answer), began_ms, total))
    return RowPage(_rows(answer["records"]), _moment(began_ms), cursor, total)


def _next_path(answer: Mapping[str, Any]) -> str:
    """Return the path of the next page.

    :raises SourceUnavailableError: it leads somewhere else, where no token may go.
    """
    path = str(answer["nextRecordsUrl"])
    if not _NEXT_PATH.fullmatch(path):
        raise SourceUnavailableError("BAD_NEXT_PAGE", f"Salesforce's next page is at an unknown place: {path[:200]}")
    return path


def _rows(records: list[dict[str, Any]]) -> list[Row]:
    for record in records:
        record.pop("attributes", None)
    return list(records)


def _moment(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)


def _bad_cursor(text: str) -> CursorExpiredError:
    return CursorExpiredError("INVALID_CURSOR", f"This is no cursor of a query: {text[:200]}")
