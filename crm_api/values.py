"""The values of filters: from the text of a query string to the JSON form of a field's kind."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from crm_api.parameters import FLAGS, TIME_FORM, parse_time
from crm_events.domain.errors import InvalidIdError
from crm_events.domain.identifiers import normalize_id
from crm_mappings.schema import FieldKind, FieldSpec
from crm_projections.ports.read_model import Operator

# Salesforce's own limits: numbers of 18 digits in all, and long texts cannot be filtered there either.
_INT = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TEXT_OPERATORS = (Operator.CONTAINS, Operator.STARTSWITH)


@dataclass(frozen=True, slots=True)
class ValueForm:
    """How values of a kind are read, and what to tell a caller about them. ``read`` raises ``ValueError``."""

    read: Callable[[str], Any]
    allowed: str


def _read_id(text: str) -> str:
    try:
        return normalize_id(text)
    except InvalidIdError as error:
        raise ValueError(text) from error


def _read_flag(text: str) -> bool:
    if text not in FLAGS:
        raise ValueError(text)
    return FLAGS[text]


def _read_date(text: str) -> str:
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text).isoformat()


def _read_time(text: str) -> str:
    return parse_time(text).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _read_int(text: str) -> int:
    if not _INT.fullmatch(text):
        raise ValueError(text)
    return int(text)


def _read_decimal(text: str) -> str:
    if not _DECIMAL.fullmatch(text):
        raise ValueError(text)
    return text


_TEXT_FORM = ValueForm(str, "any text")
FORMS: Mapping[FieldKind, ValueForm] = {
    FieldKind.TEXT: _TEXT_FORM,
    FieldKind.LIST: _TEXT_FORM,
    FieldKind.ID: ValueForm(_read_id, "a record id of 15 or 18 characters"),
    FieldKind.BOOL: ValueForm(_read_flag, "true or false"),
    FieldKind.DATE: ValueForm(_read_date, "a day such as 2026-10-06"),
    FieldKind.TIME: ValueForm(_read_time, TIME_FORM),
    FieldKind.INT: ValueForm(_read_int, "a whole number of up to 18 digits"),
    FieldKind.DECIMAL: ValueForm(
        _read_decimal, "a number such as 1250.50, of up to 18 digits on either side of the point"
    ),
}
_FLAG_FORM = FORMS[FieldKind.BOOL]


def operators_of(spec: FieldSpec) -> tuple[Operator, ...]:
    """Return the operators that lists know for a field, none for a long text."""
    if spec.kind is FieldKind.LONG_TEXT:
        return ()
    return (Operator.EQ, Operator.IN) if spec.kind is FieldKind.LIST else tuple(Operator)


def form_of(spec: FieldSpec, operator: Operator) -> ValueForm:
    """Return how the value of a filter is read (of each value, for a list of them)."""
    if operator is Operator.ISNULL:
        return _FLAG_FORM
    return _TEXT_FORM if operator in _TEXT_OPERATORS else FORMS[spec.kind]


def read_value(spec: FieldSpec, operator: Operator, text: str) -> Any:
    """Return the value of a filter in the field's JSON form; a tuple for a list of values, empty for an empty text.

    :raises ValueError: the text is no such value.
    """
    form = form_of(spec, operator)
    if operator is not Operator.IN:
        return form.read(text)
    # Each value once, in order: what is asked twice matches no more.
    return tuple(dict.fromkeys(form.read(part) for part in text.split(","))) if text else ()


def parameter_name(spec: FieldSpec, operator: Operator) -> str:
    """Return the name of the parameter that filters a field with an operator."""
    return spec.name if operator is Operator.EQ else f"{spec.name}__{operator}"
