import json
from decimal import Decimal

import pytest

from crm_events.cdc import BodyError, BodyItem, split_body
from crm_events.cdc.body import MAX_DEPTH, MAX_NUMBER_CHARACTERS


def code_of(body: bytes) -> str:
    with pytest.raises(BodyError) as caught:
        split_body(body)
    assert str(caught.value) == caught.value.detail
    return caught.value.code


def test_an_object_is_one_item() -> None:
    assert split_body(b'{"a": 1}') == [BodyItem({"a": 1}, '{"a": 1}')]


def test_an_array_is_one_item_for_each_element() -> None:
    assert [item.value for item in split_body(b'[{"a": 1}, null, "x", [2]]')] == [{"a": 1}, None, "x", [2]]


def test_keeps_the_exact_text_of_each_element() -> None:
    body = ' [ {"a" : 1.50}\n,\t[ ]  , "é\\u00e9" ] \r\n'.encode()
    assert [item.raw for item in split_body(body)] == ['{"a" : 1.50}', "[ ]", '"é\\u00e9"']


@pytest.mark.parametrize("body", [b"[]", b" [ \n] "])
def test_an_empty_array_has_no_items(body: bytes) -> None:
    assert split_body(body) == []


def test_keeps_every_digit_of_a_number() -> None:
    (item,) = split_body(b'{"n": 1791271205417203714, "d": 12.50, "e": 1e2}')
    assert str(item.value["n"]) == "1791271205417203714"
    assert [str(item.value["d"]), item.value["e"]] == ["12.50", Decimal("1e2")]


def test_refuses_other_encodings() -> None:
    assert code_of('{"a": "é"}'.encode("latin-1")) == "not_utf8"


@pytest.mark.parametrize(
    "body", [b"", b" ", b"{", b"[", b"[1", b"[1,", b"[1,]", b"[1 2]", b"{'a': 1}", b"{} {}", b"[] x", b"\xef\xbb\xbf{}"]
)
def test_refuses_what_is_not_json(body: bytes) -> None:
    assert code_of(body) == "not_json"


def test_says_where_the_json_breaks() -> None:
    with pytest.raises(BodyError, match="line 2, column 8"):
        split_body(b'[{},\n  {"a" 1}]')


@pytest.mark.parametrize("body", [b"1", b'"x"', b"null", b"true"])
def test_refuses_what_is_neither_object_nor_array(body: bytes) -> None:
    assert code_of(body) == "not_events"


@pytest.mark.parametrize("body", [b'{"a": NaN}', b"[Infinity]", b'[{"a": -Infinity}]'])
def test_refuses_numbers_that_json_does_not_have(body: bytes) -> None:
    assert code_of(body) == "not_a_number"


@pytest.mark.parametrize(
    "body", [rb'{"a": "\ud800"}', rb'[{"\udfff": 1}]', rb'{"a": ["x\uDC00y"]}', rb'["\ude00\ud83d"]']
)
def test_refuses_half_a_character(body: bytes) -> None:
    assert code_of(body) == "lone_surrogate"


def test_takes_a_character_of_two_halves() -> None:
    assert split_body(rb'{"a": "\ud83d\ude00"}')[0].value == {"a": "😀"}


def test_takes_a_backslash_before_what_looks_like_half_a_character() -> None:
    assert split_body(rb'{"a": "\\ud800"}')[0].value == {"a": "\\ud800"}


@pytest.mark.parametrize(
    "number",
    [
        "1" * (MAX_NUMBER_CHARACTERS + 1),
        "1" * 5_000,
        "0." + "1" * MAX_NUMBER_CHARACTERS,
        "1e999999999",
        "1e-999999999",
        "1e9999999999999999999999",
    ],
)
def test_refuses_a_number_of_too_many_digits(number: str) -> None:
    assert code_of(f'{{"n": {number}}}'.encode()) == "number_too_long"


def test_takes_a_number_of_as_many_digits_as_allowed() -> None:
    number = "1" * MAX_NUMBER_CHARACTERS
    assert split_body(f"[{number}]".encode())[0].value == int(number)


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 500, 100_000])
def test_refuses_nesting_beyond_the_limit(depth: int) -> None:
    assert code_of(b'{"a":' * depth + b"1" + b"}" * depth) == "too_deep"
    assert code_of(b"[" + b"[" * depth + b"]" * depth + b"]") == "too_deep"


def test_takes_nesting_up_to_the_limit_beside_many_brackets() -> None:
    nested = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert split_body(f"[{nested}]".encode())[0].value == json.loads(nested)
