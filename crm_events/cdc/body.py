"""The body of one HTTP request, split into its items with the exact text of each."""

import json
import re
from collections.abc import Callable, Generator, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple, NoReturn

import orjson

from crm_events.cdc.json_text import is_plain
from crm_events.domain.errors import CrmError

MAX_NUMBER_CHARACTERS = 400
MAX_DEPTH = 100
_SPACES = " \t\n\r"
_SPACE = re.compile(rf"[{_SPACES}]*")
_BETWEEN_OBJECTS = re.compile(rf"\}}[{_SPACES}]*,[{_SPACES}]*\{{")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


class BodyError(CrmError):
    """A request body is not what can be kept as events; ``code`` is its short name, ``detail`` tells the sender."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return self.detail


class BodyItem(NamedTuple):
    """One item of a body: its value, and its text as it arrived.

    Numbers of the value are exact (``int`` and ``Decimal``) if ``split_body`` made it.
    """

    value: Any
    raw: str


def split_body(body: bytes) -> list[BodyItem]:
    """Return the items of a body: one for an object, one for each element of an array.

    :raises BodyError: the body is not UTF-8 or not JSON, is neither object nor array, or holds a number, a nesting or
        half a character that no Salesforce event has.
    """
    text = _decode(body)
    return _split_quickly(text, _exact_item) or _split_any(text)


def split_accepted(body: str) -> list[BodyItem]:
    """Return the items of a body that ``split_body`` has seen before.

    Numbers that are no integers of 64 bits may be a ``float`` here; ``parse_item`` looks into the text for those it
    needs.

    :raises BodyError: as ``split_body``; only a change of the rules in between can bring this about.
    """
    return _split_quickly(body, _quick_item) or _split_any(body)


def _split_quickly(text: str, item: Callable[[str], BodyItem]) -> list[BodyItem] | None:
    """Return the items of an ordinary body at a third of the time, ``None`` for any other.

    The text is cut where it looks like the end of one object and the beginning of another. If every piece is JSON by
    itself then these are the items, because JSON can be read in one way only.
    """
    text = text.strip(_SPACES)
    pieces = [text] if text.startswith("{") else list(_pieces(text))
    try:
        return [item(piece) for piece in pieces]
    except orjson.JSONDecodeError:
        return None


def _pieces(text: str) -> Iterator[str]:
    if not (text.startswith("[") and text.endswith("]")):
        return
    inner = text[1:-1].strip(_SPACES)
    start = 0
    for between in _BETWEEN_OBJECTS.finditer(inner):
        yield inner[start : between.start() + 1]
        start = between.end() - 1
    yield inner[start:]


def _quick_item(raw: str) -> BodyItem:
    return BodyItem(orjson.loads(raw), raw)


def _exact_item(raw: str) -> BodyItem:
    quick = _quick_item(raw)
    return quick if is_plain((quick.value,)) else _split_any(f"[{raw}]")[0]


def _split_any(text: str) -> list[BodyItem]:
    """Return the items of any body, or say what is wrong with it."""
    try:
        items = list(_items(text))
    except json.JSONDecodeError as error:
        raise BodyError(
            "not_json", f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from error
    except RecursionError as error:
        raise _too_deep() from error
    may_hold_halves = _SURROGATE_ESCAPE.search(text) is not None
    for item in items:
        # Most bodies have neither so many brackets nor such an escape, and need no second look.
        if may_hold_halves or item.raw.count("{") + item.raw.count("[") > MAX_DEPTH:
            _look_closely(item.value)
    return items


def _decode(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BodyError("not_utf8", f"The body is not UTF-8: byte {error.start} does not fit.") from error


def _items(text: str) -> Iterator[BodyItem]:
    start = _after_space(text, 0)
    if text[start : start + 1] == "[":
        end = yield from _elements(text, start)
    else:
        item, end = _item(text, start)
        if not isinstance(item.value, dict):
            raise BodyError("not_events", "The body must be a JSON object or an array of objects.")
        yield item
    if end != len(text):
        raise json.JSONDecodeError("Extra data", text, end)


def _elements(text: str, start: int) -> Generator[BodyItem, None, int]:
    """Yield the elements of the array that opens at ``start``; return where the text after it goes on."""
    position = _after_space(text, start + 1)
    if text[position : position + 1] == "]":
        return _after_space(text, position + 1)
    while True:
        item, position = _item(text, position)
        yield item
        delimiter = text[position : position + 1]
        if delimiter == "]":
            return _after_space(text, position + 1)
        if delimiter != ",":
            raise json.JSONDecodeError("Expecting ',' delimiter", text, position)
        position = _after_space(text, position + 1)


def _item(text: str, start: int) -> tuple[BodyItem, int]:
    value, end = _DECODER.raw_decode(text, start)
    return BodyItem(value, text[start:end]), _after_space(text, end)


def _after_space(text: str, start: int) -> int:
    match = _SPACE.match(text, start)
    return match.end() if match else start


def _integer(text: str) -> int:
    if len(text) > MAX_NUMBER_CHARACTERS:
        raise _number_too_long()
    return int(text)


def _decimal(text: str) -> Decimal:
    if len(text) > MAX_NUMBER_CHARACTERS:
        raise _number_too_long()
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise _number_too_long() from error
    # Written out in plain notation, 1e999999999 would fill the memory of whoever reads it.
    if not -MAX_NUMBER_CHARACTERS <= number.adjusted() <= MAX_NUMBER_CHARACTERS:
        raise _number_too_long()
    return number


def _constant(name: str) -> NoReturn:
    raise BodyError("not_a_number", f"The body holds {name}, which JSON does not have.")


def _number_too_long() -> BodyError:
    detail = f"The body holds a number that takes more than {MAX_NUMBER_CHARACTERS} characters to write."
    return BodyError("number_too_long", detail)


def _too_deep() -> BodyError:
    return BodyError("too_deep", f"The body nests objects and arrays more than {MAX_DEPTH} deep.")


def _look_closely(value: Any) -> None:
    """Refuse nesting beyond the limit, and texts that hold half a character (a lone surrogate)."""
    to_see = [(value, 1)]
    while to_see:
        value, depth = to_see.pop()
        if isinstance(value, str):
            _check_whole_characters(value)
        elif isinstance(value, dict | list):
            if depth > MAX_DEPTH:
                raise _too_deep()
            members = [*value, *value.values()] if isinstance(value, dict) else value
            to_see.extend((member, depth + 1) for member in members)


def _check_whole_characters(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        detail = f"The body holds half a character: \\u{ord(text[error.start]):04x} without its other half."
        raise BodyError("lone_surrogate", detail) from error


_DECODER = json.JSONDecoder(parse_float=_decimal, parse_int=_integer, parse_constant=_constant)
