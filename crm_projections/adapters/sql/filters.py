"""Conditions of a search: filters, words and deletion as SQL."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from crm_mappings.schema import FieldKind
from crm_projections.adapters.sql.layout import INDEXED_LENGTH, FieldColumns, member_text
from crm_projections.adapters.sql.statements import FALSE, TRUE, Dialect, Sql, all_of, any_of, placeholders
from crm_projections.adapters.sql.tables import Tables
from crm_projections.domain.keys import MAX_INT, Key, sort_key
from crm_projections.domain.words import words_of
from crm_projections.ports.read_model import Filter, Operator, SearchQuery

_COMPARISONS = {Operator.GT: ">", Operator.GTE: ">=", Operator.LT: "<", Operator.LTE: "<="}
_BOUND_COMPARISONS = {">": ">=", ">=": ">=", "<": "<=", "<=": "<=", "=": "="}
_LAST_BEFORE_SURROGATES, _FIRST_AFTER_SURROGATES = 0xD7FF, 0xE000
_LAST_CODE_POINT = 0x10FFFF


def conditions_of(query: SearchQuery, tables: Tables, dialect: Dialect) -> Sql:
    """Return what a document must fulfil to match."""
    filters = Filters(dialect)
    conditions = [filters.condition(item, tables.layout.find(item.field)) for item in query.filters]
    conditions += [_begins_a_word(word, tables) for text in query.words for word in words_of(text)]
    if not query.include_deleted:
        conditions.append(Sql("is_deleted = 0"))
    return all_of(conditions)


def compare(columns: FieldColumns, comparison: str, key: Key) -> Sql:
    """Compare a sort key (``=``, ``<``, ``<=``, ``>``, ``>=``): with the index as far as it reaches, and exactly."""
    exact = Sql(f"{columns.key} {comparison} %s", (_bounded(key),))
    if not columns.is_bounded or not isinstance(key, str):
        return exact
    index = Sql(f"{columns.indexed} {_BOUND_COMPARISONS[comparison]} %s", (key[:INDEXED_LENGTH],))
    return all_of([index, exact])


def is_null(columns: FieldColumns, *, wanted: bool = True) -> Sql:
    """Test a field for null, by the column that has the index."""
    return Sql(f"{columns.indexed} IS {'' if wanted else 'NOT '}NULL")


def begins_with(expression: str, beginning: str) -> Sql:
    """Return a range of the texts that begin so, which an index answers."""
    conditions = [Sql(f"{expression} >= %s", (beginning,))]
    if (end := _successor(beginning)) is not None:
        conditions.append(Sql(f"{expression} < %s", (end,)))
    return all_of(conditions)


@dataclass(frozen=True, slots=True)
class Filters:
    """Filters in one dialect."""

    dialect: Dialect

    def condition(self, item: Filter, columns: FieldColumns | None) -> Sql:
        """Return the condition of a filter; a field without columns reads as null."""
        if isinstance(item.value, str) and "\x00" in item.value:
            item = _cut_at_nul(item)
        if columns is None:
            return TRUE if _holds_for_null(item) else FALSE
        match item.operator:
            case Operator.ISNULL:
                return is_null(columns, wanted=item.value)
            case Operator.EQ | Operator.NE | Operator.IN:
                return self._equality(item, columns)
        # A list has no order and no text.
        return FALSE if columns.kind is FieldKind.LIST else self._range_or_part(item, columns)

    def _equality(self, item: Filter, columns: FieldColumns) -> Sql:
        if item.operator is Operator.IN:
            return self._is_one_of(columns, item.value)
        equal = self._equals(columns, item.value)
        if item.operator is Operator.EQ:
            return equal
        return any_of([is_null(columns), Sql(f"NOT ({equal.text})", equal.parameters)])

    def _range_or_part(self, item: Filter, columns: FieldColumns) -> Sql:
        if item.operator is Operator.CONTAINS:
            return self._contains(columns, str(item.value).lower())
        if item.operator is Operator.STARTSWITH:
            return self._starts_with(columns, str(item.value))
        return compare(columns, _COMPARISONS[item.operator], sort_key(columns.kind, item.value))

    def _equals(self, columns: FieldColumns, value: Any) -> Sql:
        if isinstance(value, str) and "\x00" in value:
            return FALSE
        if columns.kind is FieldKind.LIST:
            return Sql(f"{self.dialect.position}({columns.value}, %s) > 0", (member_text(value),))
        equal = compare(columns, "=", sort_key(columns.kind, value))
        if columns.kind is not FieldKind.TEXT:
            return equal
        return all_of([equal, Sql(f"{columns.value} = %s", (value,))])

    def _is_one_of(self, columns: FieldColumns, values: Sequence[Any]) -> Sql:
        values = [value for value in values if not (isinstance(value, str) and "\x00" in value)]
        if columns.kind is FieldKind.LIST or not values:
            return any_of([self._equals(columns, value) for value in values])
        keys = [_bounded(sort_key(columns.kind, value)) for value in values]
        exact = values if columns.kind is FieldKind.TEXT else keys
        found = Sql(f"{columns.value if columns.kind is FieldKind.TEXT else columns.key} IN {placeholders(len(exact))}")
        found = replace(found, parameters=tuple(exact))
        if not columns.is_bounded:
            return found
        beginnings = tuple(str(key)[:INDEXED_LENGTH] for key in keys)
        return all_of([Sql(f"{columns.indexed} IN {placeholders(len(keys))}", beginnings), found])

    def _contains(self, columns: FieldColumns, part: str) -> Sql:
        if "\x00" in part:
            return FALSE
        return Sql(f"{self.dialect.position}({_text(columns)}, %s) > 0", (part,))

    def _starts_with(self, columns: FieldColumns, beginning: str) -> Sql:
        if "\x00" in beginning:
            return FALSE
        exact = Sql(f"{self.dialect.position}({_text(columns)}, %s) = 1", (beginning.lower(),))
        match columns.kind:
            case FieldKind.TEXT:
                return all_of([begins_with(columns.indexed, beginning.lower()[:INDEXED_LENGTH]), exact])
            case FieldKind.DATE | FieldKind.TIME:
                # Their JSON form has no letters but capitals.
                return all_of([begins_with(columns.indexed, beginning.upper()), exact])
        return exact


def _holds_for_null(item: Filter) -> bool:
    return item.operator is Operator.NE or (item.operator is Operator.ISNULL and item.value is True)


def _begins_a_word(word: str, tables: Tables) -> Sql:
    found = begins_with("word", word)
    return Sql(f"id IN (SELECT id FROM {tables.words} WHERE {found.text})", found.parameters)


def _text(columns: FieldColumns) -> str:
    """Return the lower-cased text of a field; what is not text has ASCII only, which engines lower-case alike."""
    match columns.kind:
        case FieldKind.TEXT:
            return columns.key
        case FieldKind.INT:
            return f"CAST({columns.value} AS text)"
        case FieldKind.BOOL:
            return f"CASE {columns.value} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"
    return f"lower({columns.value})"


def _bounded(key: Key) -> Key:
    # Stored numbers lie within these bounds, so a number beyond them compares as the bound's neighbour does.
    return max(-MAX_INT - 1, min(MAX_INT + 1, key)) if isinstance(key, int) else key


def _cut_at_nul(item: Filter) -> Filter:
    # No stored text has a NUL, and it stands before all other characters: "after a<NUL>b" is "after a", and "before
    # a<NUL>b" is "up to a". The other operators find nothing.
    beginning = item.value.partition("\x00")[0]
    match item.operator:
        case Operator.GT | Operator.GTE:
            return replace(item, operator=Operator.GT, value=beginning)
        case Operator.LT | Operator.LTE:
            return replace(item, operator=Operator.LTE, value=beginning)
    return item


def _successor(text: str) -> str | None:
    """Return the first text after all that begin with this one, ``None`` if there is none."""
    for end in range(len(text), 0, -1):
        code_point = ord(text[end - 1])
        if code_point < _LAST_CODE_POINT:
            following = code_point + 1 if code_point != _LAST_BEFORE_SURROGATES else _FIRST_AFTER_SURROGATES
            return text[: end - 1] + chr(following)
    return None
