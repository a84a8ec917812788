from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_events.cdc.json_text import decode_exact, encode_exact

decimals = st.decimals(allow_nan=False, allow_infinity=False)
exact_values = st.recursive(
    st.none() | st.booleans() | st.integers() | decimals | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(exact_values)
def test_reads_back_what_it_wrote(value: object) -> None:
    assert decode_exact(encode_exact(value)) == value


@given(decimals)
def test_keeps_type_and_digits_of_a_decimal(number: Decimal) -> None:
    read = decode_exact(encode_exact(number))
    assert (type(read), str(read)) == (Decimal, str(number))


def test_writes_the_digits_of_a_decimal_as_they_are() -> None:
    assert encode_exact({"Amount": Decimal("12.50")}) == '{"Amount":12.50}'


@pytest.mark.parametrize("value", [1.5, {"a": [1.5]}, object()])
def test_refuses_what_has_no_exact_form(value: object) -> None:
    with pytest.raises(TypeError):
        encode_exact(value)
