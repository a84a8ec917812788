"""Conditions of a search in OpenSearch's query language: filters, words and deletion.

Most are answered by the index alone. A bound, a beginning or a part that is too long for a query is answered by its
beginning first; the few documents of which that leaves open whether they match are looked at one by one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from crm_mappings.schema import FieldKind
from crm_projections.adapters.opensearch.layout import (
    DELETED,
    FALSE,
    LISTS,
    TRUE,
    WORDS,
    IndexField,
    Layout,
)
from crm_projections.adapters.opensearch.long_texts import MAX_PART, MAX_TERM, bound, digest
from crm_projections.domain.keys import MAX_INT, equality_key, search_text, sort_key
from crm_projections.domain.words import MAX_WORD_LENGTH, words_of
from crm_projections.ports.read_model import Filter, Operator, SearchQuery

Clause = dict[str, Any]
Source = dict[str, Any]
EVERYTHING: Clause = {"match_all": {}}
NOTHING: Clause = {"match_none": {}}
_ORDERED: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.GT: lambda key, limit: key > limit,
    Operator.GTE: lambda key, limit: key >= limit,
    Operator.LT: lambda key, limit: key < limit,
    Operator.LTE: lambda key, limit: key <= limit,
}
_SAME_OR_NOT = (Operator.EQ, Operator.NE, Operator.IN, Operator.ISNULL)


@dataclass(frozen=True, slots=True)
class Doubt:
    """Documents that may match, how to tell from one whether it does, and what matches without a doubt."""

    certain: Clause
    possible: Clause
    matches: Callable[[Source], bool]


Condition = Clause | Doubt


def conditions_of(query: SearchQuery, layout: Layout) -> list[Condition]:
    """Return what a document must fulfil to match."""
    conditions = [_condition(item, layout.find(item.field)) for item in query.filters]
    conditions += [_begins_a_word(word) for text in query.words for word in words_of(text)]
    if not query.include_deleted:
        conditions.append({"term": {DELETED: FALSE}})
    return conditions


def all_of(clauses: Sequence[Clause]) -> Clause:
    """Join clauses that must all hold; nothing is ranked."""
    return {"bool": {"filter": list(clauses)}} if clauses else EVERYTHING


def any_of(clauses: Sequence[Clause]) -> Clause:
    """Join clauses of which one must hold."""
    return {"bool": {"should": list(clauses), "minimum_should_match": 1}}


def _condition(item: Filter, field: IndexField | None) -> Condition:
    if field is None:
        holds = item.operator is Operator.NE or (item.operator is Operator.ISNULL and item.value is True)
        return EVERYTHING if holds else NOTHING
    if item.operator in _SAME_OR_NOT:
        return _is_same(item, field)
    if field.kind is FieldKind.LIST:  # a list has no order and no text
        return NOTHING
    if item.operator in _ORDERED:
        return _compares(field, item)
    part = str(item.value).lower()
    return _contains(field, part) if item.operator is Operator.CONTAINS else _starts_with(field, part)


def _is_same(item: Filter, field: IndexField) -> Clause:
    if item.operator is Operator.ISNULL:
        return _not(_has_value(field)) if item.value else _has_value(field)
    found = _equals(field, item.value if item.operator is Operator.IN else [item.value])
    return _not(found) if item.operator is Operator.NE else found


def _not(clause: Clause) -> Clause:
    return {"bool": {"must_not": [clause]}}


def _has_value(field: IndexField) -> Clause:
    # An empty list is a value, but leaves nothing in the index.
    return {"term": {LISTS: field.name}} if field.kind is FieldKind.LIST else {"exists": {"field": field.key}}


def _equals(field: IndexField, values: Sequence[Any]) -> Clause:
    if field.kind is FieldKind.BOOL:
        return {"terms": {field.exact: [TRUE if value else FALSE for value in values]}}
    if field.kind is FieldKind.INT:
        return {"terms": {field.exact: [_clamped(sort_key(field.kind, value)) for value in values]}}
    is_list = field.kind is FieldKind.LIST
    keys = [str(value if is_list else equality_key(field.kind, value)) for value in values]
    long = [digest(key) for key in keys if len(key) > MAX_TERM]
    short = {"terms": {field.exact: [key for key in keys if len(key) <= MAX_TERM]}}
    return any_of([short, {"terms": {f"{field.long}.digest": long}}]) if long else short


def _compares(field: IndexField, item: Filter) -> Condition:
    limit: Any = sort_key(field.kind, item.value)
    compare = _ORDERED[item.operator]
    if field.kind is FieldKind.BOOL:
        return {"terms": {field.key: [text for text, flag in ((FALSE, 0), (TRUE, 1)) if compare(flag, limit)]}}
    if field.kind is FieldKind.INT:
        return {"range": {field.key: {item.operator.value: _clamped(limit)}}}
    reached = bound(limit)
    if reached == limit:
        return {"range": {field.key: {item.operator.value: limit}}}
    is_beginning = {"prefix": {field.key: reached}}
    certain = all_of([{"range": {field.key: {item.operator.value: reached}}}, _not(is_beginning)])
    return Doubt(certain, is_beginning, lambda source: compare(sort_key(field.kind, source[field.name]), limit))


def _starts_with(field: IndexField, beginning: str) -> Condition:
    if not beginning:
        return {"exists": {"field": field.key}}
    reached = bound(beginning)
    found: Clause = {"prefix": {field.text: {"value": reached, "case_insensitive": not field.text_is_lower}}}
    if field.kind is FieldKind.DECIMAL:
        found = any_of([found, {"prefix": {f"{field.long}.start": reached}}])
    if reached == beginning:
        return found
    return Doubt(NOTHING, found, lambda source: _text(field, source).startswith(beginning))


def _contains(field: IndexField, part: str) -> Condition:
    if not part:
        return {"exists": {"field": field.key}}
    if len(part) <= MAX_PART:
        return _contains_short(field, part)
    ends = range(0, min(len(part), 8 * MAX_PART) - MAX_PART, MAX_PART)
    pieces = [part[start : start + MAX_PART] for start in ends] or [part[:MAX_PART]]
    found = all_of([_contains_short(field, piece) for piece in pieces])
    return Doubt(NOTHING, found, lambda source: part in _text(field, source))


def _contains_short(field: IndexField, part: str) -> Clause:
    wildcard = {"value": f"*{_escaped(part)}*", "case_insensitive": not field.text_is_lower}
    whole = {"wildcard": {field.text: wildcard}}
    if field.kind not in (FieldKind.TEXT, FieldKind.DECIMAL):
        return whole
    return any_of([whole, {"wildcard": {f"{field.long}.windows": {"value": wildcard["value"]}}}])


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")


def _begins_a_word(word: str) -> Condition:
    if len(word) == MAX_WORD_LENGTH:  # words end there
        return {"term": {WORDS: word}}
    reached = bound(word)
    found: Clause = {"prefix": {WORDS: reached}}
    if reached == word:
        return found
    return Doubt(NOTHING, found, lambda source: any(one.startswith(word) for one in _words(source)))


def _words(source: Source) -> Sequence[str]:
    words: Sequence[str] = source["_search"]["words"]
    return words


def _text(field: IndexField, source: Source) -> str:
    return search_text(field.kind, source[field.name]) or ""


def _clamped(number: Any) -> int:
    # Stored numbers lie within these bounds, so a number beyond them compares as the bound's neighbour does.
    return max(-MAX_INT - 1, min(MAX_INT + 1, int(number)))
