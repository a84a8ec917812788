"""The conditions that rows in memory are chosen by: comparisons of SOQL, joined by AND and OR."""

import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from crm_events.cdc.times import epoch_ms
from crm_events.ports.crm_source import SourceRefusedError

Condition = Callable[[Mapping[str, Any]], bool]

_TOKEN = re.compile(r"\s*('(?:[^'\\]|\\.)*'|<=|>=|!=|[()=,<>]|[^\s()=,!<>']+)")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_WORDS = {"true": True, "false": False, "null": None}
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def matcher(where: str) -> Condition:
    """Return what says whether a row fits the condition; the empty one fits all.

    :raises SourceRefusedError: it is not written in the part of SOQL that is understood here.
    """
    if not where.strip():
        return lambda _row: True
    parser = _Parser(where)
    condition = parser.alternatives()
    parser.expect("")
    return condition


class _Parser:
    """Reads a condition from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)

    def alternatives(self) -> Condition:
        conditions = [self._all()]
        while self._next_is("or"):
            conditions.append(self._all())
        return lambda row: any(condition(row) for condition in conditions)

    def _all(self) -> Condition:
        conditions = [self._one()]
        while self._next_is("and"):
            conditions.append(self._one())
        return lambda row: all(condition(row) for condition in conditions)

    def _one(self) -> Condition:
        if self._next_is("("):
            inner = self.alternatives()
            self.expect(")")
            return inner
        name = self._take()
        if self._next_is("not"):
            self.expect("in")
            listed = self._list()
            return lambda row: _comparable(row.get(name)) not in listed
        if self._next_is("in"):
            listed = self._list()
            return lambda row: _comparable(row.get(name)) in listed
        return self._comparison(name)

    def _comparison(self, name: str) -> Condition:
        compare = _COMPARISONS.get(self._take())
        if compare is None:
            raise self._malformed()
        value = _literal(self._take())
        if compare in (operator.eq, operator.ne):
            return lambda row: compare(_comparable(row.get(name)), value)
        return lambda row: row.get(name) is not None and compare(_comparable(row[name]), value)

    def _list(self) -> list[Any]:
        self.expect("(")
        values = [_literal(self._take())]
        while self._next_is(","):
            values.append(_literal(self._take()))
        self.expect(")")
        return values

    def expect(self, token: str) -> None:
        if not self._next_is(token):
            raise self._malformed()

    def _next_is(self, token: str) -> bool:
        if self._tokens[-1].lower() != token:
            return False
        self._tokens.pop()
        return True

    def _take(self) -> str:
        if self._tokens[-1] == "":
            raise self._malformed()
        return self._tokens.pop()

    def _malformed(self) -> SourceRefusedError:
        return SourceRefusedError("MALFORMED_QUERY", f"The condition cannot be read: {self._text[:200]}")


def _tokens(text: str) -> list[str]:
    """Return the tokens, the last one first, the end of the text as an empty one before all."""
    tokens, position = [], 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None:
            raise SourceRefusedError("MALFORMED_QUERY", f"The condition cannot be read: {text[:200]}")
        tokens.append(match[1])
        position = match.end()
    return ["", *reversed(tokens)]


def _literal(token: str) -> Any:
    if token.startswith("'"):
        return _comparable(_ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[1]), token[1:-1]))
    if token.lower() in _WORDS:
        return _WORDS[token.lower()]
    try:
        return Decimal(token)
    except InvalidOperation:
        return _comparable(token)


def _comparable(value: Any) -> Any:
    """Return points in time as numbers, because they are written in more than one way, and texts without case."""
    if not isinstance(value, str):
        return value
    moment = epoch_ms(value) if "T" in value else None
    return value.lower() if moment is None else moment
