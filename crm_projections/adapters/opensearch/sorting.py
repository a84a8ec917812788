"""The order of a list in OpenSearch's terms, and the position to go on from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crm_mappings.schema import FieldKind
from crm_projections.adapters.opensearch.layout import FALSE, ID, KEYED, TRUE, IndexField, Layout
from crm_projections.adapters.opensearch.long_texts import MAX_TERM, PIECES, first_piece, is_long, later_pieces
from crm_projections.domain.keys import Key, sort_key
from crm_projections.domain.positions import read_position
from crm_projections.ports.read_model import InvalidPositionError, SearchQuery

# What a number that is not there is sorted by, where nulls are last: the outermost 64-bit numbers.
_NO_NUMBER_ASCENDING, _NO_NUMBER_DESCENDING = 2**63 - 1, -(2**63)
_BEFORE_BOOLS, _AFTER_BOOLS = "", "u"
_TIE_BREAK = {ID: {"order": "asc"}}


@dataclass(frozen=True, slots=True)
class SortField:
    """A field to sort by; without a place in the index it is null everywhere."""

    name: str
    field: IndexField | None
    descending: bool

    @property
    def kind(self) -> FieldKind | None:
        """Return the kind that keys of a position must have, ``None`` where any will do."""
        return self.field.kind if self.field else None

    @property
    def _order(self) -> str:
        return "desc" if self.descending else "asc"

    def terms(self, *, exact: bool) -> list[dict[str, Any]]:
        """Return what to sort by; exact terms sort texts beyond their first piece too."""
        if self.field is None:
            # A field that no document has: all are null, and stand behind whatever has a value.
            return [{f"{ID}.{self.name}": {"order": "asc", "missing": "_last", "unmapped_type": "long"}}]
        found: list[dict[str, Any]] = [{self.field.key: {"order": self._order, "missing": "_last"}}]
        if exact and self.field.kind in KEYED:
            # A text that ends stands before those that go on.
            end = {"order": self._order, "unmapped_type": "keyword"}
            end["missing"] = "_last" if self.descending else "_first"
            found += [{f"{self.field.long}.piece_{number}": end} for number in range(1, PIECES + 1)]
        return found

    def after(self, key: Key, *, exact: bool) -> list[Any]:
        """Return a position's key as the values of the terms."""
        if self.field is None:
            return [_NO_NUMBER_ASCENDING if key is None else 0]
        if self.field.kind is FieldKind.BOOL:
            return [_bool_text(key)]
        if self.field.kind is FieldKind.INT:
            return [(_NO_NUMBER_DESCENDING if self.descending else _NO_NUMBER_ASCENDING) if key is None else key]
        if self.field.kind not in KEYED:
            return [key]
        return _pieces(key, exact=exact)


@dataclass(frozen=True)
class Order:
    """The order of a list: its fields, then ids."""

    fields: tuple[SortField, ...]
    keys: tuple[Key, ...] | None = None
    last_id: str = ""

    @property
    def needs_exact(self) -> bool:
        """Say whether the position stands among texts that agree in their first piece."""
        return any(isinstance(key, str) and is_long(key) for key in self.keys or ())

    def terms(self, *, exact: bool) -> list[dict[str, Any]]:
        """Return what to sort by."""
        return [*(term for one in self.fields for term in one.terms(exact=exact)), _TIE_BREAK]

    def after(self, *, exact: bool) -> list[Any] | None:
        """Return the values to go on behind, ``None`` from the start."""
        if self.keys is None:
            return None
        values = [
            value for one, key in zip(self.fields, self.keys, strict=True) for value in one.after(key, exact=exact)
        ]
        return [*values, self.last_id]

    def position_of(self, id_: str, source: dict[str, Any]) -> list[Key]:
        """Return where a document stands."""
        return [*(_key(one.field, source) for one in self.fields), id_]


def order_of(query: SearchQuery, layout: Layout) -> Order:
    """Return the order of a query.

    :raises InvalidPositionError: the query goes on from a position of another order.
    """
    fields = tuple(SortField(item.field, layout.sortable(item.field), item.descending) for item in query.sort)
    if query.after is None:
        return Order(fields)
    try:
        return Order(fields, *read_position(query.after, [one.kind for one in fields]))
    except ValueError as error:
        raise InvalidPositionError(str(error)) from error


def may_be_unsorted(hits: Sequence[dict[str, Any]]) -> bool:
    """Say whether a hit was sorted by a text that may go on behind its first piece."""
    return any(isinstance(value, str) and len(value) >= MAX_TERM for hit in hits for value in hit["sort"])


def _key(field: IndexField | None, source: dict[str, Any]) -> Key:
    return None if field is None else sort_key(field.kind, source[field.name])


def _bool_text(key: Key) -> str | None:
    if key is None or isinstance(key, str):
        return None
    if key < 0:
        return _BEFORE_BOOLS
    return (FALSE, TRUE)[key] if key in (0, 1) else _AFTER_BOOLS


def _pieces(key: Key, *, exact: bool) -> list[Any]:
    text = None if key is None else str(key)
    first = [None if text is None else first_piece(text)]
    if not exact:
        return first
    later = later_pieces(text or "")
    return [*first, *later, *[None] * (PIECES - len(later))]
