"""Named transforms: from every form in which Salesforce sends a value to the one form of the public contract.

Wire forms: Change Data Capture over Event Relay, CometD and Pub/Sub, REST rows and Bulk 2.0 CSV. Every transform makes
null of null and of empty text (Bulk 2.0 cannot tell them apart; Salesforce has no empty texts), and raises nothing but
``TransformError``, whatever the value.
"""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

from crm_mappings.errors import TransformError
from crm_mappings.identifiers import to_18_characters
from crm_mappings.schema import FieldKind

# Salesforce numbers have at most 18 digits; more than this on either side of the point is a mistake, not a number.
MAX_DIGITS_PER_SIDE = 40
# What JSON numbers and database columns hold.
_INT_RANGE = range(-(2**63), 2**63)
_SHOWN_CHARACTERS = 40

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# REST writes the offset without a colon, CDC and Bulk write Z; milliseconds may be missing in older captures.
_ISO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)", re.ASCII)
_CANONICAL_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d{1,80}(?:\.\d{0,80})?|\.\d{1,80})(?:[eE][+-]?\d{1,4})?", re.ASCII)
_BOOLEANS = {True: True, False: False, "true": True, "false": False}
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Transform:
    """A named function from a source value to the JSON form of one of the ``kinds`` of fields."""

    name: str
    kinds: frozenset[FieldKind]
    function: Callable[[Any], Any]

    def __call__(self, value: Any) -> Any:
        """Return the value in JSON form, null for null and for empty text.

        :raises TransformError: the value cannot become what the field wants.
        """
        return None if value is None or value == "" else self.function(value)


def transform(name: str, *kinds: FieldKind) -> Callable[[Callable[[Any], Any]], Transform]:
    """Make a transform of a function that takes any JSON value (not null, not empty) and raises ``TransformError``."""

    def named(function: Callable[[Any], Any]) -> Transform:
        return Transform(name, frozenset(kinds), function)

    return named


def refuse(value: Any, wanted: str, example: str) -> NoReturn:
    """Raise ``TransformError`` in the words all transforms use.

    :raises TransformError: always.
    """
    raise TransformError(f"{_shown(value)} is not {wanted}; wanted {example}")


@transform("as it is", FieldKind.ID, FieldKind.BOOL)
def verbatim(value: Any) -> Any:
    """Return what the write side has checked already: the record's own id, and whether it is deleted."""
    return value


@transform("text", FieldKind.TEXT, FieldKind.LONG_TEXT)
def text(value: Any) -> str:
    """Return text as it is; a number, from a field that was retyped, with its digits."""
    if isinstance(value, str):
        return _storable(value)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        refuse(value, "a text", "letters or digits")
    return _plain(_number(value))


@transform("id", FieldKind.ID)
def identifier(value: Any) -> str:
    """Return a record id in 18 characters."""
    found = to_18_characters(value) if isinstance(value, str) else None
    return found or refuse(value, "a record id", "15 or 18 letters and digits, such as 001Qy00000KdT1aIAF")


@transform("boolean", FieldKind.BOOL)
def boolean(value: Any) -> bool:
    """Return true or false, from a boolean or from the words of Bulk 2.0."""
    key = value.lower() if isinstance(value, str) else value
    if not isinstance(key, str | bool) or key not in _BOOLEANS:
        refuse(value, "a yes or no", "true or false")
    return _BOOLEANS[key]


@transform("date", FieldKind.DATE)
def date(value: Any) -> str:
    """Return a day as ``YYYY-MM-DD``, from that or from epoch milliseconds at midnight UTC (Pub/Sub)."""
    try:
        if isinstance(value, str) and _ISO_DATE.fullmatch(value):
            return dt.date.fromisoformat(value).isoformat()
        moment = _moment(value)
    except (ValueError, OverflowError):
        refuse(value, "a date", "2026-12-31")
    # An instant within a day is the date of no time zone in particular: it is refused, not rounded.
    if moment.timetz() != dt.time(tzinfo=dt.UTC):
        refuse(value, "a date", "2026-12-31")
    return moment.date().isoformat()


@transform("time", FieldKind.TIME)
def time(value: Any) -> str:
    """Return an instant as ``YYYY-MM-DDTHH:MM:SS.mmmZ``, from ISO text with an offset or from epoch milliseconds."""
    try:
        if isinstance(value, str) and _CANONICAL_TIME.fullmatch(value):
            # Events have times in our own form: it is enough that there is such a time.
            dt.datetime.fromisoformat(value)
            return value
        moment = _moment(value)
    except (ValueError, OverflowError):
        refuse(value, "a time", "2026-12-31T23:59:00.000Z")
    return moment.isoformat(timespec="milliseconds")[:-6] + "Z"


@transform("integer", FieldKind.INT)
def integer(value: Any) -> int:
    """Return a whole number of at most 64 bits, from a number or its digits; ``12.0`` is whole."""
    number = _number(value, "a whole number", "12")
    if number != number.to_integral_value() or int(number) not in _INT_RANGE:
        refuse(value, "a whole number", "12")
    return int(number)


@transform("decimal", FieldKind.DECIMAL)
def decimal(value: Any) -> str:
    """Return a number as text in plain notation, with the digits it came with: ``12.50`` stays ``12.50``."""
    return _plain(_number(value))


@transform("multi-select list", FieldKind.LIST)
def multi_select(value: Any) -> list[str]:
    """Return the parts of ``A;B`` in order, empty ones dropped; a list of texts is taken as it is."""
    parts = value.split(";") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        refuse(value, "a list of values", "A;B")
    return [_storable(part) for part in parts if part]


def _storable(value: str) -> str:
    # PostgreSQL keeps no NUL, UTF-8 has no lone surrogates: neither can be stored or sent.
    if "\0" in value:
        raise TransformError("the text contains a NUL character; remove it in Salesforce")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise TransformError(
                "the text contains half a character (a lone surrogate); correct it in Salesforce"
            ) from None
    return value


def _moment(value: Any) -> dt.datetime:
    if isinstance(value, str) and _ISO_TIME.fullmatch(value):
        return dt.datetime.fromisoformat(value).astimezone(dt.UTC)
    return _EPOCH + dt.timedelta(milliseconds=value if type(value) is int else integer.function(value))


def _number(value: Any, wanted: str = "a number", example: str = "12.50") -> Decimal:
    reader = _NUMBER_READERS.get(type(value))
    number = reader(value) if reader else None
    if number is None or not number.is_finite():
        refuse(value, wanted, example)
    exponent = number.as_tuple().exponent
    if number.adjusted() >= MAX_DIGITS_PER_SIDE or (isinstance(exponent, int) and exponent < -MAX_DIGITS_PER_SIDE):
        refuse(value, "a number we can keep", f"at most {MAX_DIGITS_PER_SIDE} digits on either side of the point")
    return number


def _number_from_int(value: int) -> Decimal:
    # Decimal and str take quadratic time, or refuse, for integers of many thousand digits.
    if value.bit_length() > MAX_DIGITS_PER_SIDE * 4:
        refuse(value, "a number we can keep", f"at most {MAX_DIGITS_PER_SIDE} digits on either side of the point")
    return Decimal(value)


def _number_from_text(value: str) -> Decimal | None:
    return Decimal(value) if _NUMBER.fullmatch(value) else None


def _number_from_float(value: float) -> Decimal:
    return Decimal(repr(value))


_NUMBER_READERS: dict[type, Callable[[Any], Decimal | None]] = {
    Decimal: Decimal,
    int: _number_from_int,
    str: _number_from_text,
    float: _number_from_float,
}


def _plain(number: Decimal) -> str:
    # Zero has no sign in a CRM: "-0.00" would sort and compare apart from "0.00" as text.
    return format(number.copy_abs() if number.is_zero() else number, "f")


def _shown(value: Any) -> str:
    """Return the value short and storable, whatever it is."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, int) and value.bit_length() > MAX_DIGITS_PER_SIDE * 4:
        return "a number of very many digits"
    words = str(value).lower() if isinstance(value, bool) else str(value)
    short = words if len(words) <= _SHOWN_CHARACTERS else words[:_SHOWN_CHARACTERS] + "…"
    return f"“{_UNPRINTABLE.sub('�', short)}”"
