"""Keys of values: what lists are sorted by and what filters compare, the same in every read model."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from crm_mappings.schema import FieldKind

Key = str | int | None
# The outermost 64-bit numbers stay free: a query clamped to them matches what it would without the clamp.
MAX_INT = 2**63 - 2
# Ids, dates and times are indexed whole, so they have a bound, far beyond any real one.
MAX_EXACT_LENGTH = 255
_COMPLEMENT = str.maketrans("0123456789", "9876543210")
_ZERO, _POSITIVE = "1", "2"
_NEGATIVE = "0"


def sort_key(kind: FieldKind, value: Any) -> Key:
    """Return what a value is sorted and compared by: plain ``<`` on two keys of a kind is the promised order.

    Texts by their lower case, decimals by their amount, the others as they are. ``None`` stays ``None``.

    :raises ValueError: the value does not fit the kind, or the kind has no order.
    """
    return None if value is None else _SORT_KEYS[kind](value)


def stored_key(kind: FieldKind, value: Any) -> Key:
    """Return the sort key of a value that goes into a document, ``None`` for a kind without an order.

    :raises ValueError: the value does not fit the kind, is a whole number beyond ``MAX_INT``, or is an id, date or
        time of more than ``MAX_EXACT_LENGTH`` characters.
    """
    return None if value is None else _STORED_KEYS[kind](value)


def equality_key(kind: FieldKind, value: Any) -> Key:
    """Return what two values are equal by: texts exactly, the others by their sort key.

    :raises ValueError: as ``sort_key``.
    """
    return _text(value) if kind is FieldKind.TEXT and value is not None else sort_key(kind, value)


def search_text(kind: FieldKind, value: Any) -> str | None:
    """Return the lower-cased text in which "contains" and "starts with" look for their value."""
    if value is None:
        return None
    if kind is FieldKind.BOOL:
        return "true" if value else "false"
    return str(value).lower()


def decimal_sort_key(text: str) -> str:
    """Return a text that orders, by code point, as the decimal number does; equal numbers have equal keys.

    Exact for any number of digits: sign, length and digits of the exponent, digits; complemented where less is more.

    :raises ValueError: the text is no finite number.
    """
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"“{text[:50]}” is no decimal number") from None
    if not number.is_finite():
        raise ValueError(f"“{text[:50]}” is no finite number")
    if number.is_zero():
        return _ZERO
    digits = "".join(map(str, number.as_tuple().digits)).rstrip("0")
    magnitude = _exponent_key(number.adjusted()) + digits
    if not number.is_signed():
        return _POSITIVE + magnitude
    # The tilde stands after all digits: of two negative numbers the one whose digits end first is the greater.
    return _NEGATIVE + magnitude.translate(_COMPLEMENT) + "~"


def _exponent_key(exponent: int) -> str:
    size = str(abs(exponent))
    key = f"{len(size):02d}{size}"
    return "1" + key if exponent >= 0 else "0" + key.translate(_COMPLEMENT)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{_shown(value)} is no text")  # noqa: TRY004  # callers catch one error
    return value


def _lower(value: Any) -> str:
    return _text(value).lower()


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{_shown(value)} is no whole number")  # noqa: TRY004  # callers catch one error
    return value


def _flag(value: Any) -> int:
    if not isinstance(value, bool):
        raise ValueError(f"{_shown(value)} is neither true nor false")  # noqa: TRY004  # callers catch one error
    return int(value)


def _amount(value: Any) -> str:
    return decimal_sort_key(_text(value))


def _stored_integer(value: Any) -> int:
    if abs(_integer(value)) > MAX_INT:
        raise ValueError(f"{_shown(value)} is too large")
    return int(value)


def _stored_exact(value: Any) -> str:
    if len(_text(value)) > MAX_EXACT_LENGTH:
        raise ValueError(f"{_shown(value)} is longer than {MAX_EXACT_LENGTH} characters")
    return str(value)


def _stored_long_text(value: Any) -> None:
    _text(value)


def _stored_list(value: Any) -> None:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{_shown(value)} is no list")  # noqa: TRY004  # callers catch one error
    for text in value:
        _text(text)


def _no_order(value: Any) -> Key:
    raise ValueError(f"{_shown(value)} is of a kind without an order")


def _shown(value: Any) -> str:
    return f"“{str(value)[:50]}”"


_SORT_KEYS: dict[FieldKind, Callable[[Any], Key]] = {
    FieldKind.TEXT: _lower,
    FieldKind.LONG_TEXT: _no_order,
    FieldKind.ID: _text,
    FieldKind.BOOL: _flag,
    FieldKind.DATE: _text,
    FieldKind.TIME: _text,
    FieldKind.INT: _integer,
    FieldKind.DECIMAL: _amount,
    FieldKind.LIST: _no_order,
}
_STORED_KEYS: dict[FieldKind, Callable[[Any], Key]] = {
    **_SORT_KEYS,
    FieldKind.LONG_TEXT: _stored_long_text,
    FieldKind.ID: _stored_exact,
    FieldKind.DATE: _stored_exact,
    FieldKind.TIME: _stored_exact,
    FieldKind.INT: _stored_integer,
    FieldKind.LIST: _stored_list,
}
