"""Read a query (SOQL and SOSL Reference, "SOQL SELECT Syntax"): the clauses that we send, and no others."""

import re
from datetime import UTC, datetime
from typing import NamedTuple

from crm_events.simulator.soql.errors import SoqlError, at, malformed
from crm_events.simulator.soql.query import Comparison, Condition, Junction, Kind, Literal, Name, Negation, Order, Query

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    | (?P<date>\d{4}-\d\d-\d\d)
    | (?P<number>[+-]?\d+(?:\.\d+)?)
    | (?P<name>[A-Za-z_][A-Za-z0-9_.]*)
    | (?P<sign><=|>=|!=|<>|[=<>(),])
    | (?P<rest>\S)
    | (?P<end>$)
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_COMPARES = {"=", "!=", "<>", "<", ">", "<=", ">="}
_MOST_TOKENS = 20_000
_MOST_LEVELS = 50


class _Token(NamedTuple):
    kind: str
    text: str
    position: int


def parse(text: str) -> Query:
    """Return the query that a text holds.

    :raises SoqlError: MALFORMED_QUERY, or a clause that this org does not know.
    """
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._read()
        self._next = 0
        self._level = 0

    def query(self) -> Query:
        self._word("SELECT")
        columns, counts = self._selected()
        self._word("FROM")
        entity = self._name()
        where = self._condition() if self._takes("WHERE") else None
        order = self._order() if self._takes("ORDER") else ()
        limit = self._limit() if self._takes("LIMIT") else None
        self._end()
        return Query(self._text, entity, columns, counts, where, order, limit)

    def _selected(self) -> tuple[tuple[Name, ...], Name | None]:
        if self._peek().text.upper() == "COUNT" and self._peek(1).text == "(":
            start = self._take()
            self._sign("(")
            counts = Name("", start.position) if self._peek().text == ")" else self._name()
            self._sign(")")
            return (), counts
        return self._names(), None

    def _names(self) -> tuple[Name, ...]:
        names = [self._name()]
        while self._takes(","):
            names.append(self._name())
        return tuple(names)

    def _condition(self) -> Condition:
        members = [self._term()]
        operator = self._peek().text.upper()
        # AND and OR side by side need parentheses in SOQL too.
        while operator in ("AND", "OR") and self._takes(operator):
            members.append(self._term())
        return members[0] if len(members) == 1 else Junction(operator, tuple(members))

    def _term(self) -> Condition:
        if self._takes("NOT"):
            return Negation(self._term())
        if self._takes("("):
            self._level += 1
            if self._level > _MOST_LEVELS:
                raise malformed(self._text, self._peek().position, "'('")
            inner = self._condition()
            self._sign(")")
            self._level -= 1
            return inner
        return self._comparison()

    def _comparison(self) -> Comparison:
        field = self._name()
        token = self._take()
        operator = token.text.upper()
        if operator in _COMPARES:
            return Comparison(field, "!=" if operator == "<>" else operator, (self._literal(),))
        if operator == "LIKE":
            return Comparison(field, operator, (self._literal(),))
        if operator == "NOT":
            self._word("IN")
            operator = "NOT IN"
        elif operator != "IN":
            raise self._unexpected(token)
        return Comparison(field, operator, self._list())

    def _list(self) -> tuple[Literal, ...]:
        self._sign("(")
        values = [self._literal()]
        while self._takes(","):
            values.append(self._literal())
        self._sign(")")
        return tuple(values)

    def _literal(self) -> Literal:
        token = self._take()
        match token.kind:
            case "string":
                return Literal(Kind.STRING, self._unescaped(token))
            case "number":
                return Literal(Kind.NUMBER, float(token.text) if "." in token.text else int(token.text))
            case "date" | "datetime":
                return self._moment(token)
        match token.text.upper():
            case "NULL":
                return Literal(Kind.NULL, None)
            case "TRUE" | "FALSE" as word:
                return Literal(Kind.BOOLEAN, word == "TRUE")
        raise self._unexpected(token)

    def _moment(self, token: _Token) -> Literal:
        try:
            moment = datetime.fromisoformat(token.text)
        except ValueError as error:
            reason = f"Invalid {'date' if token.kind == 'date' else 'datetime'}: {token.text}"
            raise SoqlError("MALFORMED_QUERY", at(self._text, token.position, reason)) from error
        if token.kind == "date":
            return Literal(Kind.DATE, token.text)
        moment = moment.astimezone(UTC)
        return Literal(Kind.DATETIME, f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z")

    def _unescaped(self, token: _Token) -> str:
        return re.sub(r"\\(.)", lambda match: _unescape(match.group(1)), token.text[1:-1], flags=re.DOTALL)

    def _order(self) -> tuple[Order, ...]:
        self._word("BY")
        orders = [self._ordered()]
        while self._takes(","):
            orders.append(self._ordered())
        return tuple(orders)

    def _ordered(self) -> Order:
        field = self._name()
        descending = self._takes("DESC") or (self._takes("ASC") and False)
        nulls_last = False
        if self._takes("NULLS"):
            nulls_last = self._takes("LAST")
            if not nulls_last:
                self._word("FIRST")
        return Order(field, descending, nulls_last)

    def _limit(self) -> int:
        token = self._take()
        if token.kind != "number" or not token.text.isdecimal():
            raise self._unexpected(token)
        return int(token.text)

    def _name(self) -> Name:
        token = self._take()
        if token.kind != "name":
            raise self._unexpected(token)
        return Name(token.text, token.position)

    def _word(self, word: str) -> None:
        if not self._takes(word):
            raise self._unexpected(self._peek())

    _sign = _word

    def _takes(self, word: str) -> bool:
        if self._peek().text.upper() != word or self._peek().kind == "string":
            return False
        self._next += 1
        return True

    def _take(self) -> _Token:
        token = self._peek()
        self._next += 1
        return token

    def _peek(self, ahead: int = 0) -> _Token:
        return self._tokens[min(self._next + ahead, len(self._tokens) - 1)]

    def _end(self) -> None:
        if self._peek().kind != "end":
            raise self._unexpected(self._peek())

    def _unexpected(self, token: _Token) -> SoqlError:
        return malformed(self._text, token.position, f"'{token.text}'" if token.text else "")

    def _read(self) -> list[_Token]:
        tokens: list[_Token] = []
        position = 0
        while not tokens or tokens[-1].kind != "end":
            match = _TOKEN.match(self._text, position)
            if match is None or match.lastgroup is None or len(tokens) > _MOST_TOKENS:
                raise malformed(self._text, position, "")
            kind, position = match.lastgroup, match.end()
            tokens.append(_Token(kind, match.group(kind), match.start(kind)))
            if kind == "rest":
                raise malformed(self._text, match.start(kind), f"'{match.group(kind)}'")
        return tokens


def _unescape(char: str) -> str:
    # The patterns of LIKE keep the backslash before what it makes plain.
    if char in "%_":
        return f"\\{char}"
    return _ESCAPES.get(char.lower(), char)
