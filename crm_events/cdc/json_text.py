"""JSON text to values and back without losing a digit."""

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from json.encoder import encode_basestring_ascii
from typing import Any

_DECODER = json.JSONDecoder(parse_float=Decimal)
_BARE_DIGITS = re.compile(r"-?[0-9]+")
# No Salesforce event nests so deep; what does is read with more care.
_PLAIN_LEVELS = 50


def decode_exact(text: str) -> Any:
    """Return the value of a JSON text: integers as ``int``, all other numbers as ``Decimal``.

    :raises ValueError: the text is not JSON.
    """
    return _DECODER.decode(text)


def is_plain(members: Iterable[Any], levels: int = _PLAIN_LEVELS) -> bool:
    """Say whether values that a quick parser made are the very ones that ``decode_exact`` makes.

    Quick parsers make a ``float`` of every number that is no integer of 64 bits, and nothing else loses digits. What
    nests deeper than any event is said not to be plain either.
    """
    for member in members:
        kind = type(member)
        # First, and without a call: most values are texts.
        if kind is str:
            continue
        if kind is float:
            return False
        if kind is dict or kind is list:
            inner = member.values() if kind is dict else member
            if not levels or not is_plain(inner, levels - 1):
                return False
    return True


def encode_exact(value: Any) -> str:
    """Return the JSON text of a value that ``decode_exact`` reads back equal, with every digit of a ``Decimal``.

    :raises TypeError: the value holds something JSON has no form for; a ``float`` is such a thing, as it lost digits.
    """
    # Text first: most values are. ``bool`` before ``int``, which it is a kind of.
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return _decimal_text(value)
    return _encode_container(value)


def _decimal_text(value: Decimal) -> str:
    text = str(value)
    # Without a point or an exponent it would be read back as an integer.
    return f"{text}e0" if _BARE_DIGITS.fullmatch(text) else text


def _encode_container(value: Any) -> str:
    if isinstance(value, Mapping):
        members = (f"{encode_basestring_ascii(key)}:{encode_exact(member)}" for key, member in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(encode_exact, value)) + "]"
    raise TypeError(f"JSON has no exact form for {type(value).__name__}")
