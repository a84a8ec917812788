"""A query as a value."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a literal is."""

    STRING = "string"
    NUMBER = "double"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "dateTime"
    NULL = "null"


@dataclass(frozen=True, slots=True)
class Literal:
    """A value in a condition; times in the form in which the store keeps them."""

    kind: Kind
    value: str | float | bool | None


@dataclass(frozen=True, slots=True)
class Name:
    """A field or object with the place where the query names it."""

    text: str
    position: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field against one value, or against several with IN and NOT IN."""

    field: Name
    operator: str
    values: Sequence[Literal]


@dataclass(frozen=True, slots=True)
class Junction:
    """Conditions joined by AND or by OR."""

    operator: str
    members: Sequence["Condition"]


@dataclass(frozen=True, slots=True)
class Negation:
    """A condition that must not hold."""

    member: "Condition"


Condition = Comparison | Junction | Negation


@dataclass(frozen=True, slots=True)
class Order:
    """A field to sort by; nulls come first unless the query says otherwise."""

    field: Name
    descending: bool = False
    nulls_last: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A query of one object. ``counts`` names what is counted: ``""`` for COUNT(), a field for COUNT(Id)."""

    text: str
    entity: Name
    columns: Sequence[Name]
    counts: Name | None = None
    where: Condition | None = None
    order: Sequence[Order] = ()
    limit: int | None = None
