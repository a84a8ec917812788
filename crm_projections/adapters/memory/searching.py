"""Filters, text search and order of the memory read model, in plain Python."""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from crm_mappings.schema import FieldKind
from crm_projections.domain.keys import Key, equality_key, search_text, sort_key
from crm_projections.domain.words import words_of
from crm_projections.ports.read_model import Filter, Operator, SearchQuery, Sort, StoredDocument

Kinds = Mapping[str, FieldKind]
Predicate = Callable[[Any], bool]
_ORDERED = {
    Operator.GT: operator.gt,
    Operator.GTE: operator.ge,
    Operator.LT: operator.lt,
    Operator.LTE: operator.le,
}


@dataclass(frozen=True, slots=True)
class Row:
    """A document with what searches look at: its values, sort keys and words."""

    stored: StoredDocument
    mapping: str
    values: Mapping[str, Any]
    keys: Mapping[str, Key]
    words: frozenset[str]

    @property
    def id(self) -> str:
        """Return the document's id."""
        return self.stored.id


def select(rows: Iterable[Row], query: SearchQuery, kinds: Kinds) -> list[Row]:
    """Return the rows that match filters, words and deletion, in no order."""
    predicates = [(item.field, _predicate(item, kinds.get(item.field))) for item in query.filters]
    words = [word for text in query.words for word in words_of(text)]
    return [
        row
        for row in rows
        if (query.include_deleted or not row.stored.is_deleted)
        and all(matches(row.values.get(name)) for name, matches in predicates)
        and all(any(known.startswith(word) for known in row.words) for word in words)
    ]


def in_order(rows: Iterable[Row], sort: Sequence[Sort]) -> list[Row]:
    """Return the rows sorted: nulls last in either direction, ids break ties."""
    ordered = sorted(rows, key=lambda row: row.id)
    for item in reversed(sort):
        present = [row for row in ordered if row.keys.get(item.field) is not None]
        missing = [row for row in ordered if row.keys.get(item.field) is None]
        # A stable sort, reversed or not: the ties keep the order of the later fields.
        present.sort(key=partial(_key, item.field), reverse=item.descending)
        ordered = present + missing
    return ordered


def position_of(row: Row, sort: Sequence[Sort]) -> list[Key]:
    """Return where a row stands in its order."""
    return [*(row.keys.get(item.field) for item in sort), row.id]


def is_after(row: Row, keys: Sequence[Key], last_id: str, sort: Sequence[Sort]) -> bool:
    """Say whether a row stands behind a position."""
    for item, at in zip(sort, keys, strict=True):
        key = row.keys.get(item.field)
        if key != at:
            return _stands_after(key, at, descending=item.descending)
    return row.id > last_id


def _key(name: str, row: Row) -> Any:
    return row.keys[name]


def _stands_after(key: Any, at: Any, *, descending: bool) -> bool:
    if key is None or at is None:
        return key is None
    return bool(key < at) if descending else bool(key > at)


def _predicate(condition: Filter, kind: FieldKind | None) -> Predicate:
    """Return a test of one JSON value; a field that is not there or cannot be filtered reads as null."""
    if condition.operator is Operator.ISNULL:
        wanted = condition.value
        if kind in (None, FieldKind.LONG_TEXT):
            return lambda _: bool(wanted)
        return lambda value: (value is None) == wanted
    if kind is None or kind is FieldKind.LONG_TEXT:
        return lambda _: condition.operator is Operator.NE
    if kind is FieldKind.LIST:
        return _list_predicate(condition)
    return _scalar_predicate(condition, kind)


def _list_predicate(condition: Filter) -> Predicate:
    wanted = condition.value
    match condition.operator:
        case Operator.EQ:
            return lambda value: value is not None and wanted in value
        case Operator.NE:
            return lambda value: value is None or wanted not in value
        case Operator.IN:
            return lambda value: value is not None and any(one in value for one in wanted)
    return lambda _: False  # a list has no order and no text


def _scalar_predicate(condition: Filter, kind: FieldKind) -> Predicate:
    match condition.operator:
        case Operator.EQ | Operator.NE | Operator.IN:
            return _equality_predicate(condition, kind)
        case Operator.CONTAINS:
            part = str(condition.value).lower()
            return lambda value: value is not None and part in (search_text(kind, value) or "")
        case Operator.STARTSWITH:
            beginning = str(condition.value).lower()
            return lambda value: value is not None and (search_text(kind, value) or "").startswith(beginning)
    compare: Callable[[Any, Any], bool] = _ORDERED[condition.operator]
    bound = sort_key(kind, condition.value)
    return lambda value: value is not None and compare(sort_key(kind, value), bound)


def _equality_predicate(condition: Filter, kind: FieldKind) -> Predicate:
    if condition.operator is Operator.IN:
        wanted = {equality_key(kind, value) for value in condition.value}
        return lambda value: value is not None and equality_key(kind, value) in wanted
    key = equality_key(kind, condition.value)
    if condition.operator is Operator.NE:
        return lambda value: equality_key(kind, value) != key
    return lambda value: value is not None and equality_key(kind, value) == key
