"""A query as SQL over the org's records. Conditions are true or false, never unknown: SOQL has no third value."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_events.cdc.times import epoch_ms
from crm_events.domain.errors import InvalidIdError
from crm_events.domain.identifiers import normalize_id
from crm_events.simulator.schema import Column, ObjectType, object_named
from crm_events.simulator.soql.errors import SoqlError, at
from crm_events.simulator.soql.query import Comparison, Condition, Junction, Kind, Literal, Name, Negation, Query

_NUMBERS = frozenset({"double", "currency", "percent", "int"})
_OPEN_DEALS = (
    "(SELECT count(*) FROM records AS deal WHERE deal.parent = records.id AND deal.entity = 'Opportunity'"
    " AND NOT deal.is_deleted AND NOT ifnull(json_extract(deal.fields, '$.IsClosed'), 0))"
)
_LISTED = "(SELECT value FROM json_each(?))"
_UNSUPPORTED = (
    "sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append the"
    " '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names."
)
_NO_COLUMN = (
    "No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be sure to append the"
    " '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names."
)


@dataclass(slots=True)
class Statement:
    """What to ask the store: a condition with its parameters, an order, and the columns to answer with."""

    kind: ObjectType
    columns: Sequence[str]
    condition: str
    parameters: list[Any] = field(default_factory=list)
    order: str = ""
    limit: int | None = None
    # ``""`` for COUNT(), a column for COUNT(Id); ``None`` for rows.
    counts: str | None = None


def statement_of(query: Query, *, include_deleted: bool) -> Statement:
    """Return a query as SQL; records hidden from the API user are left out.

    :raises SoqlError: INVALID_TYPE, INVALID_FIELD, or a value of the wrong type.
    """
    kind = object_named(query.entity.text)
    if kind is None:
        reason = _UNSUPPORTED.format(name=query.entity.text)
        raise SoqlError("INVALID_TYPE", at(query.text, query.entity.position, reason))
    compiler = _Compiler(query, kind)
    columns = tuple(compiler.field_name(name) for name in query.columns)
    conditions = ["entity = ?", "NOT hidden", *([] if include_deleted else ["NOT is_deleted"])]
    compiler.parameters.append(kind.name)
    if query.where is not None:
        conditions.append(compiler.condition(query.where))
    statement = Statement(kind, columns, " AND ".join(conditions), compiler.parameters, limit=query.limit)
    statement.order = ", ".join(map(compiler.order, query.order))
    if query.counts is not None:
        statement.counts = compiler.field_name(query.counts) if query.counts.text else ""
    return statement


class _Compiler:
    def __init__(self, query: Query, kind: ObjectType) -> None:
        self.parameters: list[Any] = []
        self._query = query
        self._kind = kind

    def field_name(self, name: Name) -> str:
        """Return the right spelling of a field."""
        found = self._kind.by_lower_name.get(name.text.lower())
        if found is None:
            reason = _NO_COLUMN.format(name=name.text, entity=self._kind.name)
            raise self._refused("INVALID_FIELD", name, reason)
        return found

    def condition(self, condition: Condition) -> str:
        """Return the SQL of a condition, its values added to the parameters."""
        if isinstance(condition, Junction):
            return "(" + f" {condition.operator} ".join(map(self.condition, condition.members)) + ")"
        if isinstance(condition, Negation):
            return f"NOT {self.condition(condition.member)}"
        return f"({self._comparison(condition)})"

    def order(self, order: Any) -> str:
        """Return the SQL to sort by a field."""
        column = self._filterable(order.field, "sorted")
        nulls = "LAST" if order.nulls_last else "FIRST"
        collation = "" if _is_stored(column) else " COLLATE NOCASE"
        return f"{expression(column)}{collation} {'DESC' if order.descending else 'ASC'} NULLS {nulls}"

    def _comparison(self, comparison: Comparison) -> str:
        column = self._filterable(comparison.field, "filtered")
        values = [self._value(column, comparison, literal) for literal in comparison.values]
        sql = expression(column)
        if comparison.operator in ("IN", "NOT IN"):
            return self._in(column, sql, values, negated=comparison.operator == "NOT IN")
        (value,) = values
        if value is None:
            return self._null(comparison, sql)
        if comparison.operator == "LIKE":
            self.parameters.append(value)
            return f"ifnull({sql} LIKE ? ESCAPE '\\', 0)"
        return self._compared(column, sql, comparison.operator, value)

    def _compared(self, column: Column, sql: str, operator: str, value: Any) -> str:
        self.parameters.append(value)
        if _is_stored(column):
            return f"{sql} {operator} ?"
        # A null is different from every value, and neither below nor above any.
        return f"ifnull({sql} {operator} ? COLLATE NOCASE, {int(operator == '!=')})"

    def _null(self, comparison: Comparison, sql: str) -> str:
        if comparison.operator not in ("=", "!="):
            raise self._refused("INVALID_QUERY_FILTER_OPERATOR", comparison.field, "invalid operator")
        return f"{sql} IS {'NOT ' if comparison.operator == '!=' else ''}NULL"

    def _in(self, column: Column, sql: str, values: list[Any], *, negated: bool) -> str:
        word = "NOT " if negated else ""
        present = [value for value in values if value is not None]
        self.parameters.append(json.dumps(present))
        if _is_stored(column):
            return f"{word}{sql} IN {_LISTED}"
        null = f" OR {sql} IS NULL" if len(present) < len(values) else ""
        return f"{word}(ifnull({sql} COLLATE NOCASE IN {_LISTED}, 0){null})"

    def _filterable(self, name: Name, verb: str) -> Column:
        column = self._kind.columns.get(self.field_name(name))
        if column is None or column.type == "textarea":
            reason = f"field '{name.text}' can not be {verb} in a query call"
            raise self._refused("INVALID_FIELD", name, reason)
        return column

    def _value(self, column: Column, comparison: Comparison, literal: Literal) -> Any:
        if literal.kind is Kind.NULL:
            return None
        wanted = _kind_of(column)
        if literal.kind is not wanted:
            quotes = "should be enclosed in quotes" if wanted is Kind.STRING else "should not be enclosed in quotes"
            reason = f"value of filter criterion for field '{column.name}' must be of type {wanted.value} and {quotes}"
            raise self._refused("INVALID_FIELD", comparison.field, reason)
        return self._plain(column, comparison, literal.value)

    def _plain(self, column: Column, comparison: Comparison, value: Any) -> Any:
        if column.type in ("id", "reference"):
            return self._id(comparison, value)
        if column.name == "SystemModstamp":
            return epoch_ms(value)
        if isinstance(value, str) and comparison.operator != "LIKE":
            return value.replace("\\%", "%").replace("\\_", "_")
        return value

    def _id(self, comparison: Comparison, value: str) -> str:
        try:
            return normalize_id(value)
        except InvalidIdError as error:
            reason = f"invalid ID field: {value}"
            raise self._refused("INVALID_QUERY_FILTER_OPERATOR", comparison.field, reason) from error

    def _refused(self, code: str, name: Name, reason: str) -> SoqlError:
        return SoqlError(code, at(self._query.text, name.position, reason))


def expression(column: Column) -> str:
    """Return the SQL that gives a column's value."""
    match column.name:
        case "Id":
            return "id"
        case "IsDeleted":
            return "is_deleted"
        case "SystemModstamp":
            return "modified"
    if column.is_calculated:
        return _OPEN_DEALS
    value = f"json_extract(fields, '$.{column.name}')"
    return f"ifnull({value}, 0)" if column.type == "boolean" else value


def _is_stored(column: Column) -> bool:
    """Say whether the store has a column of its own for it, which is never null and may have an index."""
    return column.name in ("Id", "IsDeleted", "SystemModstamp")


def _kind_of(column: Column) -> Kind:
    if column.type in _NUMBERS:
        return Kind.NUMBER
    return {"boolean": Kind.BOOLEAN, "date": Kind.DATE, "datetime": Kind.DATETIME}.get(column.type, Kind.STRING)
