"""Positions of a walk through a sorted list: the sort keys of its last document, then the document's id."""

from collections.abc import Sequence
from typing import Any

from crm_mappings.schema import FieldKind
from crm_projections.domain.keys import MAX_INT, Key

_NUMBERS = (FieldKind.BOOL, FieldKind.INT)


def read_position(position: Sequence[Any], kinds: Sequence[FieldKind | None]) -> tuple[tuple[Key, ...], str]:
    """Return a position's keys and id; ``kinds`` are those of the fields sorted by, ``None`` where any will do.

    :raises ValueError: the position belongs to another order.
    """
    if len(position) != len(kinds) + 1 or not isinstance(position[-1], str):
        raise ValueError("The position belongs to a list that is sorted by other fields.")
    if not all(map(_fits, position, kinds)):
        raise ValueError("The position belongs to a list that is sorted by fields of other kinds.")
    return tuple(position[:-1]), position[-1]


def _fits(key: Any, kind: FieldKind | None) -> bool:
    if key is None:
        return True
    if kind is None:
        return isinstance(key, str | int)
    if kind in _NUMBERS:
        return isinstance(key, int) and not isinstance(key, bool) and abs(key) <= MAX_INT
    return isinstance(key, str)
