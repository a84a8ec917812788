from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_mappings.schema import FieldKind
from crm_projections.domain.keys import decimal_sort_key, equality_key, search_text, sort_key

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False) | st.decimals(
    allow_nan=False, allow_infinity=False, places=2
)


@given(DECIMALS, DECIMALS)
def test_decimal_keys_order_as_the_numbers_do(first: Decimal, second: Decimal) -> None:
    keys = decimal_sort_key(str(first)), decimal_sort_key(str(second))

    assert (keys[0] < keys[1]) == (first < second)
    assert (keys[0] == keys[1]) == (first == second)


@given(
    st.lists(st.sampled_from(["-0.1", "-0.12", "-9", "-10", "-10.5", "0", "0.001", "0.01", "1", "9.99", "10", "1e30"]))
)
def test_decimal_keys_sort_near_neighbours(texts: list[str]) -> None:
    assert sorted(texts, key=decimal_sort_key) == sorted(texts, key=Decimal)


@pytest.mark.parametrize("text", ["10", "10.0", "010.000", "1E+1"])
def test_one_amount_has_one_key_however_it_is_written(text: str) -> None:
    assert decimal_sort_key(text) == decimal_sort_key("10")


def test_decimal_keys_keep_every_digit() -> None:
    assert decimal_sort_key("0." + "1" * 60) < decimal_sort_key("0." + "1" * 59 + "2")


@pytest.mark.parametrize("text", ["", "ten", "NaN", "Infinity", "-inf", "sNaN"])
def test_what_is_no_finite_number_has_no_decimal_key(text: str) -> None:
    with pytest.raises(ValueError, match="number"):
        decimal_sort_key(text)


@pytest.mark.parametrize(
    ("kind", "value", "key"),
    [
        (FieldKind.TEXT, "ÉCLAIR", "éclair"),
        (FieldKind.ID, "001Ab", "001Ab"),
        (FieldKind.DATE, "2026-10-06", "2026-10-06"),
        (FieldKind.TIME, "2026-10-06T07:20:09.123Z", "2026-10-06T07:20:09.123Z"),
        (FieldKind.INT, 12, 12),
        (FieldKind.BOOL, True, 1),
        (FieldKind.TEXT, None, None),
    ],
)
def test_values_are_sorted_by_their_kind(kind: FieldKind, value: Any, key: Any) -> None:
    assert sort_key(kind, value) == key


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (FieldKind.TEXT, 5),
        (FieldKind.ID, 5),
        (FieldKind.INT, True),
        (FieldKind.INT, "5"),
        (FieldKind.BOOL, 1),
        (FieldKind.DECIMAL, 5.0),
        (FieldKind.LIST, ["A"]),
        (FieldKind.LONG_TEXT, "A"),
    ],
)
def test_a_value_of_another_kind_has_no_key(kind: FieldKind, value: Any) -> None:
    with pytest.raises(ValueError, match="is"):
        sort_key(kind, value)


def test_texts_are_equal_only_exactly() -> None:
    assert equality_key(FieldKind.TEXT, "Acme") != equality_key(FieldKind.TEXT, "ACME")


def test_decimals_are_equal_by_their_amount() -> None:
    assert equality_key(FieldKind.DECIMAL, "10.0") == equality_key(FieldKind.DECIMAL, "10")


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (FieldKind.TEXT, "Acme", "acme"),
        (FieldKind.BOOL, True, "true"),
        (FieldKind.INT, -5, "-5"),
        (FieldKind.DECIMAL, "1.50", "1.50"),
        (FieldKind.TEXT, None, None),
    ],
)
def test_texts_are_searched_in_lower_case(kind: FieldKind, value: Any, text: str | None) -> None:
    assert search_text(kind, value) == text
