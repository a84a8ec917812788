"""Which columns a generation's table of documents has, and how a document becomes a row of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from crm_mappings.schema import FieldKind, FieldSpec
from crm_projections.adapters.refusals import UnfitDocumentError, encode, values_of
from crm_projections.adapters.sql.statements import Dialect
from crm_projections.domain.keys import Key
from crm_projections.domain.words import words_of
from crm_projections.ports.read_model import Document

# PostgreSQL's index rows hold 2,700 bytes, four for each character at worst; Salesforce's texts have 255 characters.
INDEXED_LENGTH = 400
META_COLUMNS = ("id", "version", "is_deleted", "mapping", "body", "words")
_OWN_COLUMNS = ("id", "is_deleted")
_KEYED = (FieldKind.TEXT, FieldKind.DECIMAL)
_NUMBERS = {FieldKind.INT: "bigint", FieldKind.BOOL: "smallint"}
_LIST_END, _LIST_ESCAPE = "\x1f", "\x1e"


@dataclass(frozen=True, slots=True)
class FieldColumns:
    """The columns of a field: ``value`` as it came, ``key`` what it is sorted by; one and the same for most kinds.

    ``is_own`` columns belong to the document itself and are never null.
    """

    kind: FieldKind
    value: str
    key: str
    is_own: bool = False

    @property
    def is_bounded(self) -> bool:
        """Say whether the key can be longer than what is indexed of it."""
        return self.kind in _KEYED

    @property
    def indexed(self) -> str:
        """Return the expression that has the index; it orders as the key does, up to its length."""
        return f"substr({self.key}, 1, {INDEXED_LENGTH})" if self.is_bounded else self.key

    def definitions(self, dialect: Dialect) -> list[str]:
        """Return the column definitions; none for the document's own columns."""
        if self.is_own:
            return []
        type_ = _NUMBERS.get(self.kind, dialect.text)
        return [f"{column} {type_}" for column in dict.fromkeys((self.value, self.key))]

    def cells(self, value: Any, key: Key) -> tuple[Any, ...]:
        """Return what the columns hold of a value."""
        if self.is_own:
            return ()
        if self.kind is FieldKind.LIST:
            return (None if value is None else list_text(value),)
        return (value, key) if self.is_bounded else (key,)


@dataclass(frozen=True)
class Layout:
    """The columns of a generation; long texts have none."""

    fields: tuple[FieldSpec, ...]
    by_name: dict[str, FieldColumns]

    def find(self, name: str) -> FieldColumns | None:
        """Return the columns of a field, ``None`` if it reads as null."""
        return self.by_name.get(name)

    def sortable(self, name: str) -> FieldColumns | None:
        """Return the columns of a field that has an order, ``None`` for any other: it sorts as if it were null."""
        columns = self.by_name.get(name)
        return None if columns is None or columns.kind is FieldKind.LIST else columns

    @property
    def columns(self) -> list[str]:
        """Return the names of all columns in order."""
        made = [name for item in self.by_name.values() if not item.is_own for name in (item.value, item.key)]
        return [*META_COLUMNS, *dict.fromkeys(made)]

    def row(self, document: Document) -> tuple[Any, ...]:
        """Return a document as a row of all columns.

        :raises UnfitDocumentError: a value does not fit its column.
        """
        fields = values_of(document, self.fields)
        body = encode(document, self.fields).decode()
        words = {word for spec, value, _ in fields if spec.name_like and value for word in words_of(str(value))}
        cells: list[Any] = []
        for spec, value, key in fields:
            if (columns := self.by_name.get(spec.name)) is not None:
                cells += columns.cells(value, key)
        row = (
            document.id,
            document.version,
            int(document.is_deleted),
            document.mapping,
            body,
            " ".join(sorted(words)),
            *cells,
        )
        # JSON escapes a NUL, so few rows are looked through.
        if "\\u0000" in body or "\x00" in document.id:
            _refuse_nul(row)
        return row


@lru_cache(maxsize=256)
def layout_of(fields: tuple[FieldSpec, ...]) -> Layout:
    """Return the layout of a generation with these fields."""
    filterable = [(number, spec) for number, spec in enumerate(fields) if spec.is_filterable]
    return Layout(fields, {spec.name: _columns_of(number, spec) for number, spec in filterable})


def list_text(values: Sequence[str]) -> str:
    """Return a list as one text in which each value is found by ``member_text``."""
    return _LIST_END + "".join(_escaped(value) + _LIST_END for value in values)


def member_text(value: str) -> str:
    """Return the text that a list text contains exactly if the value is in the list."""
    return _LIST_END + _escaped(value) + _LIST_END


def _escaped(value: str) -> str:
    return value.replace(_LIST_ESCAPE, _LIST_ESCAPE + "0").replace(_LIST_END, _LIST_ESCAPE + "1")


def _columns_of(number: int, spec: FieldSpec) -> FieldColumns:
    if spec.name in _OWN_COLUMNS:
        return FieldColumns(spec.kind, spec.name, spec.name, is_own=True)
    # The number keeps names apart that are cut or differ in case only; the rest is for people who look at the table.
    name = f"f{number}_{re.sub(r'[^a-z0-9_]', '_', spec.name.lower())[:40]}"
    return FieldColumns(spec.kind, name, f"{name}_key" if spec.kind in _KEYED else name)


def _refuse_nul(row: Sequence[Any]) -> None:
    if any(isinstance(cell, str) and "\x00" in cell for cell in row):
        raise UnfitDocumentError("A text holds a NUL character, which databases do not keep. Correct the mapping.")
