from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_events.simulator.soql import SoqlError, parse
from crm_events.simulator.soql.query import Comparison, Condition, Junction, Kind, Literal, Name, Negation, Order, Query

_NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,10}", fullmatch=True).filter(
    lambda name: (
        name.upper()
        not in {"SELECT", "FROM", "WHERE", "ORDER", "LIMIT", "NOT", "AND", "OR", "IN", "LIKE", "NULLS", "NULL", "COUNT"}
        | {"TRUE", "FALSE", "ASC", "DESC", "BY"}
    )
)
_LITERALS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="%_")).map(lambda text: Literal(Kind.STRING, text)),
    st.integers(-(10**9), 10**9).map(lambda number: Literal(Kind.NUMBER, number)),
    st.booleans().map(lambda value: Literal(Kind.BOOLEAN, value)),
    st.dates().map(lambda day: Literal(Kind.DATE, str(day))),
    st.just(Literal(Kind.NULL, None)),
)
_COMPARISONS = st.one_of(
    st.builds(
        lambda name, operator, value: Comparison(Name(name, 0), operator, (value,)),
        _NAMES,
        st.sampled_from(["=", "!=", "<", ">", "<=", ">=", "LIKE"]),
        _LITERALS,
    ),
    st.builds(
        lambda name, operator, values: Comparison(Name(name, 0), operator, tuple(values)),
        _NAMES,
        st.sampled_from(["IN", "NOT IN"]),
        st.lists(_LITERALS, min_size=1, max_size=4),
    ),
)
_CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    _COMPARISONS,
    lambda inner: st.one_of(
        inner.map(Negation),
        st.builds(
            lambda operator, members: Junction(operator, tuple(members)),
            st.sampled_from(["AND", "OR"]),
            st.lists(inner, min_size=2, max_size=3),
        ),
    ),
    max_leaves=8,
)


def written(condition: Condition) -> str:
    match condition:
        case Junction(operator, members):
            return "(" + f" {operator} ".join(map(written, members)) + ")"
        case Negation(member):
            return f"(NOT {written(member)})"
        case Comparison(field, "IN" | "NOT IN" as operator, values):
            return f"{field.text} {operator} ({', '.join(map(literal, values))})"
        case Comparison(field, operator, (value,)):
            return f"{field.text} {operator} {literal(value)}"
    raise AssertionError(condition)


def literal(value: Literal) -> str:
    if value.kind is Kind.STRING:
        text = str(value.value)
        for char, escape in (("\\", "\\\\"), ("'", "\\'"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
            text = text.replace(char, escape)
        return f"'{text}'"
    if isinstance(value.value, bool):
        return "TRUE" if value.value else "false"
    return "null" if value.value is None else str(value.value)


def plain(condition: Any) -> Any:
    """Return a condition without the places of its names."""
    match condition:
        case Junction(operator, members):
            return operator, [plain(member) for member in members]
        case Negation(member):
            return "NOT", plain(member)
        case Comparison(field, operator, values):
            return field.text, operator, [(value.kind, value.value) for value in values]


@given(_CONDITIONS)
def test_reads_every_condition_as_it_was_written(condition: Condition) -> None:
    query = parse(f"SELECT Id FROM Account WHERE {written(condition)}")
    assert plain(query.where) == plain(condition)


@given(st.text(max_size=60))
def test_answers_any_text_with_a_query_or_an_error(text: str) -> None:
    with suppress(SoqlError):
        assert isinstance(parse(text), Query)


def test_reads_columns_order_and_limit() -> None:
    query = parse("select Id, Name from Account order by Name desc nulls last, Id asc limit 5")
    assert [name.text for name in query.columns] == ["Id", "Name"]
    assert query.order == (
        Order(Name("Name", 38), descending=True, nulls_last=True),
        Order(Name("Id", 60)),
    )
    assert query.limit == 5


@pytest.mark.parametrize(("text", "counted"), [("COUNT()", ""), ("count(Id)", "Id")])
def test_reads_counts(text: str, counted: str) -> None:
    counts = parse(f"SELECT {text} FROM Account").counts
    assert counts is not None
    assert counts.text == counted


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-10-06T07:20:05Z", "2026-10-06T07:20:05.000Z"),
        ("2026-10-06T07:20:05.125Z", "2026-10-06T07:20:05.125Z"),
        ("2026-10-06T09:20:05+02:00", "2026-10-06T07:20:05.000Z"),
        ("2026-10-06T09:20:05.000+0200", "2026-10-06T07:20:05.000Z"),
    ],
)
def test_reads_times_of_any_offset_as_utc(text: str, moment: str) -> None:
    where = parse(f"SELECT Id FROM Account WHERE CreatedDate > {text}").where
    assert isinstance(where, Comparison)
    assert where.values == (Literal(Kind.DATETIME, moment),)


@pytest.mark.parametrize(
    ("text", "column", "token"),
    [
        ("SELECT Id FRO Account", 11, "'FRO'"),
        ("SELECT Id FROM Account WHERE", 29, "<EOF>"),
        ("SELECT Id FROM Account WHERE A = 1 AND B = 2 OR C = 3", 46, "'OR'"),
        ("SELECT Id FROM Account WHERE Name = x", 37, "'x'"),
        ("SELECT Id FROM Account LIMIT -1", 30, "'-1'"),
        ("SELECT Id FROM Account; DROP", 23, "';'"),
        ("", 1, "<EOF>"),
    ],
)
def test_shows_where_a_query_is_malformed(text: str, column: int, token: str) -> None:
    with pytest.raises(SoqlError) as caught:
        parse(text)
    assert caught.value.message.endswith(f"ERROR at Row:1:Column:{column}\nunexpected token: {token}")


def test_refuses_nesting_without_end() -> None:
    with pytest.raises(SoqlError):
        parse(f"SELECT Id FROM Account WHERE {'(' * 10_000}")


def test_refuses_a_day_that_is_none() -> None:
    with pytest.raises(SoqlError, match="Invalid date: 2026-02-31"):
        parse("SELECT Id FROM Account WHERE A = 2026-02-31")
