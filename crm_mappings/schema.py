"""The shape of a normalized entity as read models and the API need to know it: fields and their kinds."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property


class FieldKind(StrEnum):
    """What a field holds, and so how it compares, filters and sorts.

    JSON forms: text, long_text and id are strings; bool is a boolean; date is ``YYYY-MM-DD``; time is
    ``YYYY-MM-DDTHH:MM:SS.mmmZ``; int is a number; decimal is a string in plain notation; list is an array of strings.
    """

    TEXT = "text"
    LONG_TEXT = "long_text"
    ID = "id"
    BOOL = "bool"
    DATE = "date"
    TIME = "time"
    INT = "int"
    DECIMAL = "decimal"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of an entity. ``name_like`` fields are what the text search ``q`` looks at."""

    name: str
    kind: FieldKind
    name_like: bool = False

    @property
    def is_sortable(self) -> bool:
        """Say whether lists can be sorted by the field, and all comparisons apply to it."""
        return self.kind not in (FieldKind.LONG_TEXT, FieldKind.LIST)

    @property
    def is_filterable(self) -> bool:
        """Say whether lists can be filtered by the field at all (lists only by membership)."""
        return self.kind is not FieldKind.LONG_TEXT


@dataclass(frozen=True)
class EntitySchema:
    """The fields of one entity, in the order of its DTO; ``id`` and ``is_deleted`` are always among them."""

    entity: str
    source: str
    fields: tuple[FieldSpec, ...]

    @cached_property
    def by_name(self) -> dict[str, FieldSpec]:
        """Return the fields by name."""
        return {field.name: field for field in self.fields}

    @property
    def name_like(self) -> tuple[str, ...]:
        """Return the names of the fields that the text search looks at."""
        return tuple(field.name for field in self.fields if field.name_like)
