from typing import Any

import pytest

from crm_mappings.schema import FieldKind
from crm_projections.domain.positions import read_position

KINDS = [FieldKind.TEXT, FieldKind.INT, None]


@pytest.mark.parametrize("keys", [["a", 1, "x"], [None, None, None], ["a", 1, 5]])
def test_reads_the_keys_and_the_id(keys: list[Any]) -> None:
    assert read_position([*keys, "001A"], KINDS) == (tuple(keys), "001A")


@pytest.mark.parametrize(
    "position",
    [
        [],
        ["a", 1, "x"],
        ["a", 1, "x", 5],
        ["a", "1", "x", "001A"],
        [1, 1, "x", "001A"],
        ["a", True, "x", "001A"],
        ["a", 2**70, "x", "001A"],
        ["a", 1, [], "001A"],
    ],
    ids=repr,
)
def test_a_position_of_another_order_is_none(position: list[Any]) -> None:
    with pytest.raises(ValueError, match="other"):
        read_position(position, KINDS)
