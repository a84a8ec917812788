"""Values of a bulk result, which are all text there, by the types of their columns."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from crm_events.ports.crm_source import ObjectDescription, Row

# The longest text field holds 131,072 characters, which is also where Python's reader gives up; rich text and the
# fields of tomorrow may hold more.
_LONGEST_FIELD = 16 * 1024 * 1024
csv.field_size_limit(max(_LONGEST_FIELD, csv.field_size_limit()))

Converter = Callable[[str], Any]
_NUMBERS = {"int", "long", "double", "currency", "percent"}


class BrokenPageError(Exception):
    """A page of CSV that ends too early or is none."""


def read_page(lines: Iterable[str], description: ObjectDescription) -> list[Row]:
    """Return the rows of a page of CSV, which begins with the names of the columns.

    ``lines`` keep their line breaks, because texts have them inside.

    :raises BrokenPageError: a row has another number of values than the first line has names, or a value is not of
        its column's type.
    """
    reader = csv.reader(lines, strict=True)
    try:
        names = next(reader, [])
        return list(_rows(reader, names, _converters(names, description)))
    except (csv.Error, ValueError, InvalidOperation) as error:
        raise BrokenPageError(str(error)) from error


def _rows(
    reader: Iterable[list[str]], names: list[str], converters: Mapping[str, Callable[[str], Any]]
) -> Iterator[Row]:
    for values in reader:
        row: dict[str, Any] = dict(zip(names, [value or None for value in values], strict=True))
        for name, convert in converters.items():
            if row[name] is not None:
                row[name] = convert(row[name])
        yield row


def _converters(names: list[str], description: ObjectDescription) -> dict[str, Converter]:
    types = {field.name: field.type for field in description.fields}
    converters = {name: _converter(types.get(name, "")) for name in names}
    return {name: convert for name, convert in converters.items() if convert is not None}


def _converter(kind: str) -> Converter | None:
    if kind == "boolean":
        return _boolean
    return exact_number if kind in _NUMBERS else None


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"“{text[:20]}” is neither true nor false")
    return text == "true"


def exact_number(text: str) -> int | Decimal:
    """Return a number with all its digits, as JSON would be read: a whole one without a point is an ``int``."""
    return int(text) if text.lstrip("-").isdecimal() else Decimal(text)
