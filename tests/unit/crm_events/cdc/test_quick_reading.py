"""Ordinary bodies and events are read in a quicker way, which never says anything else than the long way."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_events.cdc import BodyError, body, parse_item, read_change, split_accepted, split_body
from crm_events.cdc.json_text import decode_exact, encode_exact, is_plain
from tests.builders import a_change

NUMBERS = ["1.50", "-0", "-0.0", "1e2", "1E400", "0e999", "1e-999", "1791271205417203714", "18446744073709551616", "01"]
tokens = st.sampled_from(
    [
        *'{}[],:" \n',
        '"a":',
        '{"a":1}',
        '{"b":"},{"}',
        "},{",
        "} ,\n{",
        "null",
        "true",
        r'"\ud800"',
        "NaN",
        "é",
        *NUMBERS,
    ]
)
texts = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("},{"), max_size=8)
numbers = st.integers() | st.decimals(-(10**9), 10**9, places=3)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=12,
)
spaces = st.sampled_from(["", " ", "\n", "\r\n\t "])


def outcome(split: Callable[[Any], Any], argument: bytes | str) -> str:
    # As text: 0.5 and Decimal("0.5") are equal, and must not be taken for one another.
    try:
        return repr(split(argument))
    except BodyError as error:
        return error.code


@given(st.lists(tokens, max_size=14).map("".join))
def test_any_text_is_split_as_the_long_way_splits_it(text: str) -> None:
    assert outcome(split_body, text.encode()) == outcome(body._split_any, text)


@given(st.lists(values, max_size=4), spaces)
def test_any_elements_are_split_as_the_long_way_splits_them(elements: list[Any], space: str) -> None:
    text = f"{space}[{f'{space},{space}'.join(map(encode_exact, elements))}]{space}"
    assert outcome(split_body, text.encode()) == outcome(body._split_any, text)


def test_an_ordinary_body_needs_no_long_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "_split_any", pytest.fail)
    text = json.dumps([a_change(), a_change("DELETE")], indent=1)
    assert [item.value for item in split_body(text.encode())] == json.loads(text)


@pytest.mark.parametrize("depth", [49, 51, body.MAX_DEPTH, body.MAX_DEPTH + 1, 1_100])
def test_nesting_is_judged_as_the_long_way_judges_it(depth: int) -> None:
    text = '[{"a":' + '{"a":' * (depth - 1) + "1" + "}" * depth + "]"
    assert outcome(split_body, text.encode()) == outcome(body._split_any, text)


@given(st.lists(values, min_size=1, max_size=4))
def test_an_accepted_body_has_the_same_texts_when_it_is_split_again(elements: list[Any]) -> None:
    text = json.dumps([{"value": encode_exact(element)} for element in elements])
    assert [item.raw for item in split_accepted(text)] == [item.raw for item in split_body(text.encode())]


@pytest.mark.parametrize("number", ["1791271205000", "1.791271205E+12", '{"long": 1.791271205e12}', "1791271205000.5"])
def test_a_header_is_read_with_all_its_digits_when_its_body_is_split_again(number: str) -> None:
    text = json.dumps(a_change()).replace(json.dumps(a_change()["detail"]["payload"]["ChangeEventHeader"]), "HEADER")
    header = {**a_change()["detail"]["payload"]["ChangeEventHeader"], "commitTimestamp": 0}
    text = text.replace("HEADER", json.dumps(header).replace('"commitTimestamp": 0', f'"commitTimestamp": {number}'))
    (exact,), (quick,) = split_body(text.encode()), split_accepted(text)
    assert parse_item(quick, "delivery-1", 0) == parse_item(exact, "delivery-1", 0)


@given(st.dictionaries(texts.filter(lambda name: name != "ChangeEventHeader"), values, max_size=6))
def test_a_change_has_the_values_the_long_way_reads(fields: dict[str, Any]) -> None:
    payload = {**a_change()["detail"]["payload"], "changedFields": []} | fields
    raw = encode_exact({"detail": {"payload": payload}})
    change, exact = read_change(raw), decode_exact(raw)["detail"]["payload"]
    plain = {name: value for name, value in exact.items() if not isinstance(value, dict | list)}
    assert repr({name: change.body[name] for name in plain}) == repr(plain)


@pytest.mark.parametrize("value", [1.5, [1.5], {"a": [{"b": 1.5}]}])
def test_a_number_that_may_have_lost_digits_is_seen_wherever_it_stands(value: object) -> None:
    assert not is_plain(["a", 1, value])
    assert is_plain(["a", 1, None, {"b": [True]}])
