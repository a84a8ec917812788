"""Conditions as SQL against the same conditions worked out by hand."""

import operator
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_events.simulator.org import SimulatedOrg
from crm_events.simulator.records import Record
from crm_events.simulator.soql import SoqlError, parse
from crm_events.simulator.soql.query import Comparison, Condition, Junction, Negation
from crm_events.simulator.soql.statement import statement_of
from tests.unit.crm_events.simulator.reading import NOW, Clock

_ROWS: list[dict[str, Any]] = [
    {"Name": name, "Amount": amount, "IsClosed": closed, "CloseDate": day}
    for number, name in enumerate(["alpha", "Alpha", "beta_1", "beta%1", "it's", None])
    for amount, closed in [(None, True), (0, False), (12.5, True), (-3, None)]
    for day in [None, "2026-10-0" + str(number + 1)]
]
_TEXTS = ["alpha", "ALPHA", "beta_1", "b%", "be_a\\_1", "%", "it's", "zz"]
_NUMBERS = [0, 12.5, -3, 7]


@pytest.fixture(scope="module")
def org() -> Iterator[SimulatedOrg]:
    org = SimulatedOrg(clock=Clock())
    for fields in _ROWS:
        org.store.put([Record("Opportunity", org.mint.record_id("Opportunity"), dict(fields))])
    yield org
    org.close()


def found(org: SimulatedOrg, where: str) -> list[str]:
    statement = statement_of(parse(f"SELECT Id FROM Opportunity WHERE {where}"), include_deleted=False)
    return [record.id for record in org.store.find(statement.condition, statement.parameters, "id")]


_OPERATORS = {"=": operator.eq, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}


def fits(condition: Condition, fields: dict[str, Any]) -> bool:
    match condition:
        case Junction("AND", members):
            return all(fits(member, fields) for member in members)
        case Junction(_, members):
            return any(fits(member, fields) for member in members)
        case Negation(member):
            return not fits(member, fields)
        case Comparison(field, name, values):
            value = fields.get(field.text)
            value = bool(value) if field.text == "IsClosed" else value
            return compares(_lower(value), name, [_lower(each.value) for each in values])


def compares(value: Any, name: str, wanted: list[Any]) -> bool:
    if name in ("IN", "NOT IN"):
        return (value in wanted) == (name == "IN")
    if name == "!=":
        return bool(value != wanted[0])
    if name == "LIKE":
        return value is not None and re.fullmatch(_pattern(wanted[0]), value, re.DOTALL) is not None
    if name == "=":
        return bool(value == wanted[0])
    return value is not None and bool(_OPERATORS[name](value, wanted[0]))


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _pattern(text: str) -> str:
    parts = re.findall(r"\\.|.", text, re.DOTALL)
    return "".join({"%": ".*", "_": "."}.get(part, re.escape(part[-1])) for part in parts)


def _comparison(field: str, operators: list[str], values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    one = st.tuples(st.just(field), st.sampled_from(operators), values).map(" ".join)
    several = st.tuples(st.sampled_from(["IN", "NOT IN"]), st.lists(values, min_size=1, max_size=3)).map(
        lambda pair: f"{field} {pair[0]} ({', '.join(pair[1])})"
    )
    return one | several


_ORDERED = ["<", ">", "<=", ">=", "=", "!="]
_QUOTED = st.sampled_from(_TEXTS).map(lambda text: "'" + text.replace("'", "\\'") + "'")
_TESTS = st.one_of(
    _comparison("Name", _ORDERED, st.sampled_from(["'alpha'", "'ALPHA'", "'it\\'s'", "'zz'"])),
    _QUOTED.map(lambda text: f"Name LIKE {text}"),
    _comparison("Amount", _ORDERED, st.sampled_from(_NUMBERS).map(str)),
    _comparison("IsClosed", ["=", "!="], st.sampled_from(["true", "false"])),
    _comparison("CloseDate", _ORDERED, st.sampled_from(["2026-10-02", "2026-10-04"])),
    st.tuples(st.sampled_from(["Name", "Amount", "CloseDate"]), st.sampled_from(["= null", "!= null"])).map(" ".join),
)
_WHERE = st.recursive(
    _TESTS,
    lambda inner: st.one_of(
        inner.map(lambda text: f"(NOT ({text}))"),
        st.lists(inner, min_size=2, max_size=3).map(lambda some: f"({' AND '.join(some)})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda some: f"({' OR '.join(some)})"),
    ),
    max_leaves=6,
)


@settings(max_examples=300)
@given(where=_WHERE)
def test_finds_what_the_condition_says(org: SimulatedOrg, where: str) -> None:
    condition = parse(f"SELECT Id FROM Opportunity WHERE {where}").where
    assert condition is not None
    ids = [org.mint.nth_id("Opportunity", n + 1) for n, fields in enumerate(_ROWS) if fits(condition, fields)]
    assert found(org, where) == ids


def test_takes_ids_of_fifteen_characters(org: SimulatedOrg) -> None:
    first = org.mint.nth_id("Opportunity", 1)
    assert found(org, f"Id IN ('{first[:15]}')") == [first]


def test_compares_the_time_of_the_last_change(org: SimulatedOrg) -> None:
    record = Record("Lead", org.mint.record_id("Lead"), {"LastName": "Ek"}, modified_ms=round(NOW.timestamp() * 1000))
    org.store.put([record])
    text = f"{NOW:%Y-%m-%dT%H:%M:%SZ}"
    for test, expected in [("=", 1), ("<", 0), (">=", 1)]:
        statement = statement_of(
            parse(f"SELECT Id FROM Lead WHERE SystemModstamp {test} {text}"), include_deleted=False
        )
        assert len(org.store.find(statement.condition, statement.parameters)) == expected


@pytest.mark.parametrize(
    ("where", "code", "text"),
    [
        ("Nothing = 1", "INVALID_FIELD", "No such column 'Nothing' on entity 'Opportunity'"),
        ("Amount = '1'", "INVALID_FIELD", "must be of type double and should not be enclosed in quotes"),
        ("Name = 1", "INVALID_FIELD", "must be of type string and should be enclosed in quotes"),
        ("CreatedDate > 2026-10-06", "INVALID_FIELD", "must be of type dateTime"),
        ("Description = 'x'", "INVALID_FIELD", "field 'Description' can not be filtered in a query call"),
        ("Id = 'x'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: x"),
        ("Name > null", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
    ],
)
def test_says_why_a_condition_cannot_be(where: str, code: str, text: str) -> None:
    with pytest.raises(SoqlError) as caught:
        statement_of(parse(f"SELECT Id FROM Opportunity WHERE {where}"), include_deleted=False)
    assert caught.value.code == code
    assert text in caught.value.message
