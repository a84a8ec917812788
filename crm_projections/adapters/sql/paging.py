"""The statement of one page: where it begins, how it is ordered, where it ends.

A sorted list is cut into segments that stand behind one another: for a sort by ``a``, the rows with an ``a``, then
those without; behind a position, first the rows with the same ``a`` and a later id, then those with a later ``a``, then
those without. Each is a plain range of an index, whichever way a field is sorted and wherever its nulls go.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crm_projections.adapters.sql.filters import compare, is_null
from crm_projections.adapters.sql.layout import INDEXED_LENGTH, FieldColumns
from crm_projections.adapters.sql.statements import Sql, all_of
from crm_projections.adapters.sql.tables import Tables
from crm_projections.domain.keys import Key

_DOCUMENT = ("id", "version", "is_deleted", "body")
N_DOCUMENT_COLUMNS = len(_DOCUMENT)


@dataclass(frozen=True, slots=True)
class SortColumn:
    """A field to sort by; without columns it is null everywhere."""

    columns: FieldColumns | None
    descending: bool

    def order(self, *, exact: bool) -> list[str]:
        """Return the ORDER BY terms of values that are not null; inexact ones end where the index does."""
        if self.columns is None:
            return []
        direction = " DESC" if self.descending else ""
        terms = (
            [self.columns.indexed, self.columns.key] if exact and self.columns.is_bounded else [self.columns.indexed]
        )
        return [term + direction for term in terms]

    def order_with_nulls(self, *, exact: bool) -> list[str]:
        """Return the ORDER BY terms with nulls last."""
        if self.columns is None:
            return []
        return ([] if self.columns.is_own else [f"({self.columns.indexed} IS NULL)"]) + self.order(exact=exact)


@dataclass(frozen=True, slots=True)
class Position:
    """The last document of the page before."""

    keys: tuple[Key, ...]
    id: str


@dataclass(frozen=True, slots=True)
class _Segment:
    """Rows that stand together: what is true of them, and what still orders them."""

    condition: Sql
    order: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PageQuery:
    """A page of the documents of a table that fulfil a condition.

    Texts longer than the index can order are ordered by the index first; ``is_ordered`` tells from the rows whether
    that was enough, and if not, ``exact`` orders by the whole texts. Nobody pays for long texts but their pages.
    """

    tables: Tables
    condition: Sql
    sort: Sequence[SortColumn]
    limit: int
    offset: int = 0
    position: Position | None = None

    def statement(self, *, exact: bool) -> Sql:
        """Return the SELECT of id, version, is_deleted, body and the sort keys."""
        segments = list(self._segments(exact=exact))
        if len(segments) == 1:
            return self._select_one(segments[0])
        return self._select_merged(segments)

    def is_ordered(self, rows: Sequence[Sequence[object]]) -> bool:
        """Say whether no row has a sort key that may go on where the index ends."""
        bounded = [
            n for n, item in enumerate(self.sort, N_DOCUMENT_COLUMNS) if item.columns and item.columns.is_bounded
        ]
        return not any(len(str(row[n])) >= INDEXED_LENGTH for row in rows for n in bounded)

    def _columns(self) -> str:
        keys = [item.columns.key if item.columns else "NULL" for item in self.sort]
        return ", ".join([*_DOCUMENT, *keys])

    def _select_one(self, segment: _Segment) -> Sql:
        condition = all_of([self.condition, segment.condition])
        return Sql(
            f"SELECT {self._columns()} FROM {self.tables.documents} WHERE {condition.text} "
            f"ORDER BY {', '.join(segment.order)} LIMIT %s OFFSET %s",
            (*condition.parameters, self.limit, self.offset),
        )

    def _select_merged(self, segments: Sequence[_Segment]) -> Sql:
        """Put the segments together by id and sort keys, cut out the page, and only then fetch its documents."""
        parts = [self._keys_of(segment, number) for number, segment in enumerate(segments)]
        order = ", ".join([*(term for item in self.sort for term in item.order_with_nulls(exact=True)), "id"])
        return Sql(
            f"SELECT {self._columns()} FROM {self.tables.documents} WHERE id IN ("
            f"SELECT id FROM ({' UNION ALL '.join(part.text for part in parts)}) AS merged "
            f"ORDER BY {order} LIMIT %s OFFSET %s) ORDER BY {order}",
            (*(value for part in parts for value in part.parameters), self.limit, self.offset),
        )

    def _keys_of(self, segment: _Segment, number: int) -> Sql:
        condition = all_of([self.condition, segment.condition])
        columns = ", ".join(dict.fromkeys(["id", *(item.key for item in self._sorted_columns())]))
        # The page may lie in any one segment, so each gives as many rows as the page needs from the front.
        return Sql(
            f"SELECT {columns} FROM (SELECT {columns} FROM {self.tables.documents} WHERE {condition.text} "
            f"ORDER BY {', '.join(segment.order)} LIMIT %s) AS segment_{number}",
            (*condition.parameters, self.offset + self.limit),
        )

    def _sorted_columns(self) -> list[FieldColumns]:
        return [item.columns for item in self.sort if item.columns]

    def _segments(self, *, exact: bool) -> Iterator[_Segment]:
        if self.position is None:
            yield from self._whole(exact=exact)
            return
        equal: list[Sql] = []
        for depth, (item, key) in enumerate(zip(self.sort, self.position.keys, strict=True)):
            if key is not None:
                yield from self._later(depth, key, equal, exact=exact)
            if item.columns is None:
                if key is not None:
                    return  # the rows are null here, so none is equal to the position
                continue
            equal.append(is_null(item.columns) if key is None else compare(item.columns, "=", key))
        yield _Segment(all_of([*equal, Sql("id > %s", (self.position.id,))]), ("id",))

    def _whole(self, *, exact: bool) -> Iterator[_Segment]:
        first = self.sort[0] if self.sort else None
        if first is None or first.columns is None:
            yield _Segment(all_of([]), self._order(0, exact=exact))
            return
        yield _Segment(is_null(first.columns, wanted=False), self._order(0, exact=exact, first_is_present=True))
        if not first.columns.is_own:
            yield _Segment(is_null(first.columns), self._order(1, exact=exact))

    def _later(self, depth: int, key: Key, equal: Sequence[Sql], *, exact: bool) -> Iterator[_Segment]:
        """Yield the rows equal in the fields before ``depth`` and later in this one: those with a value, then nulls."""
        item = self.sort[depth]
        if item.columns is None:
            yield _Segment(all_of(equal), self._order(depth + 1, exact=exact))
            return
        later = compare(item.columns, "<" if item.descending else ">", key)
        yield _Segment(all_of([*equal, later]), self._order(depth, exact=exact, first_is_present=True))
        if not item.columns.is_own:
            yield _Segment(all_of([*equal, is_null(item.columns)]), self._order(depth + 1, exact=exact))

    def _order(self, start: int, *, exact: bool, first_is_present: bool = False) -> tuple[str, ...]:
        terms = self.sort[start].order(exact=exact) if first_is_present else []
        for item in self.sort[start + first_is_present :]:
            terms += item.order_with_nulls(exact=exact)
        return (*terms, "id")
