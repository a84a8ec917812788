"""Rows in the forms of REST and Bulk (REST API Developer Guide; Bulk API 2.0 guide, "Get Results")."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson

from crm_events.simulator.records import Record, from_ms, moment_text
from crm_events.simulator.schema import Column, ObjectType
from crm_events.simulator.soql.statement import expression

_ADDRESS = ("city", "country", "countryCode", "geocodeAccuracy", "latitude", "longitude", "postalCode", "state")
_COMPOUND_KEYS = {"address": (*_ADDRESS, "street"), "location": ("latitude", "longitude")}


# So many columns of the store stand before the calculated ones.
_STORED = 4


def selected(kind: ObjectType, columns: Iterable[str]) -> str:
    """Return what to select for rows with these columns: the stored ones, then each calculated one."""
    calculated = (kind.columns[name] for name in columns if name in kind.columns and kind.columns[name].is_calculated)
    return ", ".join(("id", "fields", "modified", "is_deleted", *map(expression, calculated)))


def values_of(kind: ObjectType, columns: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    """Return the values of a row that was selected so: times as Bulk writes them, compounds left out."""
    values: dict[str, Any] = orjson.loads(row[1])
    values["Id"], values["IsDeleted"] = row[0], bool(row[3])
    values["SystemModstamp"] = _stamp(row[2])
    if len(row) > _STORED:
        calculated = iter(row[_STORED:])
        for name in columns:
            column = kind.columns.get(name)
            if column is not None and column.is_calculated:
                values[name] = next(calculated)
    return values


@lru_cache(maxsize=4_096)
def _stamp(modified_ms: int) -> str:
    # Rows written together have the same.
    return moment_text(from_ms(modified_ms))


def record_values(record: Record, calculated: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return every column of a record by name, empty ones as ``None``: the truth, in the texts of Bulk."""
    values = dict.fromkeys(record.kind.columns)
    values.update(record.fields, **(calculated or {}))
    values.update(Id=record.id, IsDeleted=record.is_deleted, SystemModstamp=moment_text(from_ms(record.modified_ms)))
    return {name: rest_or_false(record.kind, name, value) for name, value in values.items()}


def rest_or_false(kind: ObjectType, name: str, value: Any) -> Any:
    """Return a value with a checkbox that nobody ticked as false."""
    return False if value is None and kind.columns[name].type == "boolean" else value


def rest_row(kind: ObjectType, columns: Sequence[str], values: Mapping[str, Any], version: str) -> dict[str, Any]:
    """Return a row of REST: attributes, then the columns in the order they were asked for."""
    url = f"/services/data/v{version}/sobjects/{kind.name}/{values['Id']}"
    row: dict[str, Any] = {"attributes": {"type": kind.name, "url": url}}
    for name in columns:
        row[name] = _compound(kind, name, values) if name in kind.compounds else rest_value(kind, name, values)
    return row


def rest_value(kind: ObjectType, name: str, values: Mapping[str, Any]) -> Any:
    """Return a value as REST writes it: times with an offset without a colon."""
    value = rest_or_false(kind, name, values.get(name))
    return rest_time(value) if value is not None and kind.columns[name].type == "datetime" else value


def rest_time(moment: str | datetime) -> str:
    """Return a time as REST writes it."""
    text = moment if isinstance(moment, str) else moment_text(moment)
    return text.removesuffix("Z") + "+0000"


def _compound(kind: ObjectType, name: str, values: Mapping[str, Any]) -> dict[str, Any] | None:
    parts = {column.event_name.partition(".")[2]: values.get(column.name) for column in kind.parts[name]}
    if all(value is None for value in parts.values()):
        return None
    lower = {f"{part[0].lower()}{part[1:]}": value for part, value in parts.items()}
    return {key: lower.get(key) for key in _COMPOUND_KEYS[kind.compounds[name]]}


class CsvWriter:
    """Rows of Bulk as CSV text, everything in quotes, empty values empty."""

    def __init__(self, kind: ObjectType, columns: Sequence[str], line_ending: str, delimiter: str) -> None:
        self._between, self._end = f'"{delimiter}"', f'"{line_ending}'
        self._columns = [(name, _writer_of(kind.columns[name])) for name in columns]

    def header(self) -> bytes:
        """Return the line of column names, which every page begins with."""
        return self._line(name for name, _ in self._columns)

    def line(self, row: Mapping[str, Any]) -> bytes:
        """Return the line of a row."""
        return self._line(write(row.get(name)) for name, write in self._columns)

    def _line(self, cells: Iterable[str]) -> bytes:
        return f'"{self._between.join(cells)}{self._end}'.encode()


def _writer_of(column: Column) -> Callable[[Any], str]:
    if column.type == "boolean":
        return lambda value: "true" if value else "false"
    if column.is_wide_number:
        # Numbers that may have decimals always have one: 100 in REST is 100.0 here.
        return lambda value: "" if value is None else str(float(value))
    return lambda value: "" if value is None else str(value).replace('"', '""')
