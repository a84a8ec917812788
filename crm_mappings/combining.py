"""How several source fields become one: the first that is filled, or all of them joined."""

from collections.abc import Callable, Sequence
from typing import Any

Combine = Callable[[Callable[[Any], Any], Sequence[Any]], Any]


def only(transform: Callable[[Any], Any], raw: Sequence[Any]) -> Any:
    """Return the one source value, transformed."""
    return transform(raw[0])


def first_filled(transform: Callable[[Any], Any], raw: Sequence[Any]) -> Any:
    """Return the first source value that is neither null nor empty, transformed."""
    return next((value for value in map(transform, raw) if value is not None), None)


def joined_or_last(transform: Callable[[Any], Any], raw: Sequence[Any]) -> Any:
    """Return all source values but the last, joined by one space; the last one if none of them is filled."""
    parts = [part for part in map(transform, raw[:-1]) if part is not None]
    return " ".join(parts) if parts else transform(raw[-1])
