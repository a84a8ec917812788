from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_api.values import operators_of, parameter_name, read_value
from crm_mappings.schema import FieldKind, FieldSpec
from crm_projections.ports.read_model import Operator


def _spec(kind: FieldKind) -> FieldSpec:
    return FieldSpec("field", kind)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (FieldKind.TEXT, "a, b", "a, b"),
        (FieldKind.ID, "001Qy00000KdT1a", "001Qy00000KdT1aIAF"),
        (FieldKind.BOOL, "false", False),
        (FieldKind.DATE, "2024-02-29", "2024-02-29"),
        (FieldKind.TIME, "0900-10-06T09:20:40+02:00", "0900-10-06T07:20:40.000Z"),
        (FieldKind.INT, "-007", -7),
        (FieldKind.DECIMAL, "12.50", "12.50"),
        (FieldKind.LIST, "a", "a"),
    ],
)
def test_a_value_gets_the_json_form_of_its_kind(kind: FieldKind, text: str, value: Any) -> None:
    read = read_value(_spec(kind), Operator.EQ, text)
    assert (read, type(read)) == (value, type(value))


def test_a_list_of_values_holds_each_once_in_order() -> None:
    assert read_value(_spec(FieldKind.INT), Operator.IN, "3,1,3,01") == (3, 1)


def test_an_empty_list_of_values_is_empty() -> None:
    assert read_value(_spec(FieldKind.INT), Operator.IN, "") == ()


def test_a_part_of_a_value_needs_not_be_one() -> None:
    assert read_value(_spec(FieldKind.DATE), Operator.STARTSWITH, "2026-1") == "2026-1"


@pytest.mark.parametrize(
    ("kind", "operators"),
    [
        (FieldKind.LONG_TEXT, ()),
        (FieldKind.LIST, (Operator.EQ, Operator.IN)),
        (FieldKind.TEXT, tuple(Operator)),
        (FieldKind.BOOL, tuple(Operator)),
    ],
)
def test_a_field_has_the_operators_of_its_kind(kind: FieldKind, operators: tuple[Operator, ...]) -> None:
    assert operators_of(_spec(kind)) == operators


def test_equality_has_the_name_of_the_field_alone() -> None:
    spec = _spec(FieldKind.INT)
    assert [parameter_name(spec, op) for op in (Operator.EQ, Operator.GTE)] == ["field", "field__gte"]


@given(st.sampled_from(FieldKind), st.sampled_from(Operator), st.text(max_size=50))
def test_any_text_is_a_value_or_a_value_error(kind: FieldKind, operator: Operator, text: str) -> None:
    if operator not in operators_of(_spec(kind)):
        return
    with suppress(ValueError):
        read_value(_spec(kind), operator, text)
