"""Reading from one generation's tables: by id, as a scan, as a search."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from crm_projections.adapters.sql.filters import conditions_of
from crm_projections.adapters.sql.paging import N_DOCUMENT_COLUMNS, PageQuery, Position, SortColumn
from crm_projections.adapters.sql.statements import MAX_IDS_PER_STATEMENT, Sql, chunks, dialect_of, placeholders
from crm_projections.adapters.sql.tables import Tables
from crm_projections.domain.positions import read_position
from crm_projections.ports.read_model import (
    EXACT_COUNT_LIMIT,
    InvalidPositionError,
    SearchQuery,
    SearchResult,
    StoredDocument,
)

_SELECT = "SELECT id, version, is_deleted, body FROM"


@dataclass(frozen=True, slots=True)
class DocumentReader:
    """Read the documents of one generation."""

    connection: BaseDatabaseWrapper
    tables: Tables

    def get_many(self, ids: Sequence[str]) -> dict[str, StoredDocument]:
        """Return the documents there are."""
        found = [
            row
            for part in chunks(list(ids), MAX_IDS_PER_STATEMENT)
            for row in self._fetch(
                Sql(f"{_SELECT} {self.tables.documents} WHERE id IN {placeholders(len(part))}", tuple(part))
            )
        ]
        return {row[0]: _stored(row) for row in found}

    def page_after(self, last_id: str, size: int) -> list[StoredDocument]:
        """Return the next documents by id."""
        sql = Sql(f"{_SELECT} {self.tables.documents} WHERE id > %s ORDER BY id LIMIT %s", (last_id, size))
        return [_stored(row) for row in self._fetch(sql)]

    def count_by_mapping(self) -> dict[str, int]:
        """Count the documents by mapping."""
        sql = f"SELECT mapping, COUNT(*) FROM {self.tables.documents} GROUP BY mapping"
        return dict(self._fetch(Sql(sql)))

    def search(self, query: SearchQuery) -> SearchResult:
        """Return a page with one statement, and the count with another.

        :raises InvalidPositionError: the position is none of this order.
        """
        condition = conditions_of(query, self.tables, dialect_of(self.connection))
        count = self._count(condition) if query.with_count else None
        rows = self._page(query, condition)
        page = rows[: query.limit]
        return SearchResult(
            documents=[_stored(row) for row in page],
            next_position=_position_of(page[-1]) if len(rows) > len(page) and page else None,
            count=None if count is None else min(count, EXACT_COUNT_LIMIT),
            count_is_lower_bound=count is not None and count > EXACT_COUNT_LIMIT,
        )

    def _count(self, condition: Sql) -> int:
        sql = f"SELECT COUNT(*) FROM (SELECT 1 FROM {self.tables.documents} WHERE {condition.text} LIMIT %s) AS counted"
        return int(self._fetch(Sql(sql, (*condition.parameters, EXACT_COUNT_LIMIT + 1)))[0][0])

    def _page(self, query: SearchQuery, condition: Sql) -> list[tuple[Any, ...]]:
        """Return the rows of a page and one more, which tells that more follow."""
        page = PageQuery(
            tables=self.tables,
            condition=condition,
            sort=[SortColumn(self.tables.layout.sortable(item.field), item.descending) for item in query.sort],
            limit=query.limit + 1,
            offset=query.offset if query.after is None else 0,
            position=self._position(query),
        )
        rows = self._fetch(page.statement(exact=False))
        return rows if page.is_ordered(rows) else self._fetch(page.statement(exact=True))

    def _position(self, query: SearchQuery) -> Position | None:
        if query.after is None:
            return None
        columns = [self.tables.layout.sortable(item.field) for item in query.sort]
        try:
            return Position(*read_position(query.after, [item.kind if item else None for item in columns]))
        except ValueError as error:
            raise InvalidPositionError(str(error)) from error

    def _fetch(self, sql: Sql) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql.text, sql.parameters)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _position_of(row: Sequence[Any]) -> list[Any]:
    return [*row[N_DOCUMENT_COLUMNS:], row[0]]


def _stored(row: Sequence[Any]) -> StoredDocument:
    return StoredDocument(row[0], row[1], bool(row[2]), row[3].encode())
