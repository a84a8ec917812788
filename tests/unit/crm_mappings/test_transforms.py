import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_mappings.errors import TransformError
from crm_mappings.transforms import (
    Transform,
    boolean,
    date,
    decimal,
    identifier,
    integer,
    multi_select,
    text,
    time,
    verbatim,
)

ALL = [text, identifier, boolean, date, time, integer, decimal, multi_select]
by_name = pytest.mark.parametrize("transform", ALL, ids=lambda transform: transform.name)

NUMBERS = st.one_of(st.integers(), st.integers(min_value=10**200), st.floats(), st.decimals())
SURROGATES = st.text(st.characters(categories=["Cs", "Cc", "Lu", "Nd"]))
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, st.text(), SURROGATES)
# Texts that are nearly right reach further into a transform than arbitrary ones do.
NEARLY = st.from_regex(r"[0-9:TZ+.\-]{1,30}", fullmatch=True) | st.from_regex(
    r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d))?", fullmatch=True
)
JSON = st.recursive(SCALARS | NEARLY, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)

WIRE_FORMS: list[tuple[Transform, Any, Any]] = [
    (text, "Lindqvist Marine AB", "Lindqvist Marine AB"),
    (text, " Ström ☂ 🚢 ", " Ström ☂ 🚢 "),
    (text, "line one\r\nline two", "line one\r\nline two"),
    (text, 4711, "4711"),
    (text, Decimal("12.50"), "12.50"),
    (identifier, "001Qy00000KdT1aIAF", "001Qy00000KdT1aIAF"),
    (identifier, "001Qy00000KdT1a", "001Qy00000KdT1aIAF"),
    (boolean, True, True),
    (boolean, False, False),
    (boolean, "true", True),
    (boolean, "false", False),
    (boolean, "True", True),
    (date, "2024-06-30", "2024-06-30"),
    (date, 1719705600000, "2024-06-30"),
    (date, "1719705600000", "2024-06-30"),
    (date, Decimal(1719705600000), "2024-06-30"),
    (date, -86400000, "1969-12-31"),
    (date, "2024-06-30T00:00:00.000Z", "2024-06-30"),
    (date, "0001-01-01", "0001-01-01"),
    (date, -62135596800000, "0001-01-01"),
    (date, "9999-12-31", "9999-12-31"),
    (time, "2024-02-25T02:27:17.123Z", "2024-02-25T02:27:17.123Z"),
    (time, "2019-09-25T10:32:28Z", "2019-09-25T10:32:28.000Z"),
    (time, "2018-12-10T17:50:19.007+0000", "2018-12-10T17:50:19.007Z"),
    (time, "2018-12-10T17:50:19+00:00", "2018-12-10T17:50:19.000Z"),
    (time, "2018-12-10T17:50:19.000+0230", "2018-12-10T15:20:19.000Z"),
    (time, "2018-12-10T17:50:19.123456789Z", "2018-12-10T17:50:19.123Z"),
    (time, 1791271525007, "2026-10-06T07:25:25.007Z"),
    (time, "1791271525007", "2026-10-06T07:25:25.007Z"),
    (time, Decimal(1791271525007), "2026-10-06T07:25:25.007Z"),
    (time, -1, "1969-12-31T23:59:59.999Z"),
    (integer, 12, 12),
    (integer, "12", 12),
    (integer, Decimal("12.0"), 12),
    (integer, Decimal("1E+2"), 100),
    (integer, 12.0, 12),
    (integer, "-9223372036854775808", -(2**63)),
    (decimal, Decimal("12.50"), "12.50"),
    (decimal, "12.50", "12.50"),
    (decimal, 12, "12"),
    (decimal, Decimal("1E+3"), "1000"),
    (decimal, "1.5e-3", "0.0015"),
    (decimal, ".5", "0.5"),
    (decimal, "-0.00", "0.00"),
    (decimal, "+7", "7"),
    (decimal, 0.1, "0.1"),
    (decimal, Decimal("1234567890123456789012345678901234567890.00"), "1234567890123456789012345678901234567890.00"),
    (multi_select, "A;B;C", ["A", "B", "C"]),
    (multi_select, "B;A;B", ["B", "A", "B"]),
    (multi_select, ";A;;B;", ["A", "B"]),
    (multi_select, "A", ["A"]),
    (multi_select, ";", []),
    (multi_select, ["A", "", "B"], ["A", "B"]),
]

TOO_LONG = "a number we can keep; wanted at most 40 digits on either side of the point"
REFUSED: list[tuple[Transform, Any, str]] = [
    (text, True, "“true” is not a text; wanted letters or digits"),
    (text, {"Street": "Kajgatan"}, "an object is not a text; wanted letters or digits"),
    (text, ["A"], "a list is not a text; wanted letters or digits"),
    (text, "a\0b", "the text contains a NUL character; remove it in Salesforce"),
    (text, "a\ud800b", "the text contains half a character (a lone surrogate); correct it in Salesforce"),
    (identifier, "n/a", "“n/a” is not a record id; wanted 15 or 18 letters and digits, such as 001Qy00000KdT1aIAF"),
    (identifier, 1, "“1” is not a record id; wanted 15 or 18 letters and digits, such as 001Qy00000KdT1aIAF"),
    (boolean, "yes", "“yes” is not a yes or no; wanted true or false"),
    (boolean, 1, "“1” is not a yes or no; wanted true or false"),
    (boolean, [], "a list is not a yes or no; wanted true or false"),
    (date, "31.12.2026", "“31.12.2026” is not a date; wanted 2026-12-31"),
    (date, "2026-02-30", "“2026-02-30” is not a date; wanted 2026-12-31"),
    (date, "20261231", "“20261231” is not a date; wanted 2026-12-31"),
    (date, 1719705600001, "“1719705600001” is not a date; wanted 2026-12-31"),
    (date, "0000-01-01", "“0000-01-01” is not a date; wanted 2026-12-31"),
    (date, "12026-01-01", "“12026-01-01” is not a date; wanted 2026-12-31"),
    (date, 253402300800000, "“253402300800000” is not a date; wanted 2026-12-31"),
    (date, True, "“true” is not a date; wanted 2026-12-31"),
    (time, "2024-02-25T02:27:17", "“2024-02-25T02:27:17” is not a time; wanted 2026-12-31T23:59:00.000Z"),
    (time, "2024-02-25T24:00:00Z", "“2024-02-25T24:00:00Z” is not a time; wanted 2026-12-31T23:59:00.000Z"),
    (time, "0001-01-01T00:00:00+01:00", "“0001-01-01T00:00:00+01:00” is not a time; wanted 2026-12-31T23:59:00.000Z"),
    (time, 10**30, f"“{10**30}” is not a time; wanted 2026-12-31T23:59:00.000Z"),
    (time, 1.5, "“1.5” is not a time; wanted 2026-12-31T23:59:00.000Z"),
    (integer, "12.5", "“12.5” is not a whole number; wanted 12"),
    (integer, 2**63, f"“{2**63}” is not a whole number; wanted 12"),
    (integer, True, "“true” is not a whole number; wanted 12"),
    (decimal, "1,000.00", "“1,000.00” is not a number; wanted 12.50"),
    (decimal, "٣", "“٣” is not a number; wanted 12.50"),
    (decimal, "NaN", "“NaN” is not a number; wanted 12.50"),
    (decimal, float("inf"), "“inf” is not a number; wanted 12.50"),
    (decimal, Decimal("sNaN"), "“sNaN” is not a number; wanted 12.50"),
    (
        decimal,
        Decimal("1E+999999"),
        f"“1E+999999” is not {TOO_LONG}",
    ),
    (decimal, "1e-41", f"“1e-41” is not {TOO_LONG}"),
    (
        decimal,
        10**4000,
        f"a number of very many digits is not {TOO_LONG}",
    ),
    (multi_select, 5, "“5” is not a list of values; wanted A;B"),
    (multi_select, ["A", 1], "a list is not a list of values; wanted A;B"),
    (multi_select, "A;\0", "the text contains a NUL character; remove it in Salesforce"),
]


@pytest.mark.parametrize(("transform", "wire", "expected"), WIRE_FORMS)
def test_takes_every_wire_form(transform: Transform, wire: Any, expected: Any) -> None:
    result = transform(wire)
    assert (result, type(result)) == (expected, type(expected))


@pytest.mark.parametrize(("transform", "wire", "reason"), REFUSED)
def test_says_in_plain_words_what_it_cannot_take(transform: Transform, wire: Any, reason: str) -> None:
    with pytest.raises(TransformError) as caught:
        transform(wire)
    assert caught.value.reason == reason


@by_name
@pytest.mark.parametrize("empty", [None, ""])
def test_makes_null_of_null_and_of_empty_text(transform: Transform, empty: Any) -> None:
    assert transform(empty) is None


@by_name
@given(value=JSON)
def test_raises_nothing_but_its_own_error_and_gives_what_can_be_stored(transform: Transform, value: Any) -> None:
    try:
        result = transform(value)
    except TransformError as error:
        result = error.reason
    stored = json.dumps(result, ensure_ascii=False, allow_nan=False).encode()
    assert b"\\u0000" not in stored


@given(st.decimals(min_value=-(10**15), max_value=10**15, places=4))
def test_keeps_every_digit_of_a_decimal(number: Decimal) -> None:
    assert Decimal(decimal(number)).as_tuple()[1:] == number.as_tuple()[1:]


@given(st.datetimes())
def test_gives_the_same_time_for_milliseconds_and_for_iso_text(moment: Any) -> None:
    iso = moment.isoformat(timespec="milliseconds") + "Z"
    assert time(iso) == iso


def test_shortens_what_it_shows_of_a_long_value() -> None:
    with pytest.raises(TransformError, match=f"^“{'x' * 40}…” is not a date"):
        date("x" * 10_000)


def test_shows_no_character_that_cannot_be_stored() -> None:
    with pytest.raises(TransformError) as caught:
        date("a\0\ud800\n")
    assert caught.value.reason == "“a���” is not a date; wanted 2026-12-31"


def test_leaves_what_the_write_side_checked_as_it_is() -> None:
    assert verbatim("001Qy00000KdT1aIAF") == "001Qy00000KdT1aIAF"
