"""What a generation's index holds: its strict mapping, and how a document becomes a body that fits it.

A document lies there as it is served: its fields by name, then ``_meta``. ``_search`` beside them holds what the
service computed for searches, so that they do not depend on what an analyzer makes of a text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import orjson

from crm_mappings.schema import FieldKind, FieldSpec
from crm_projections.adapters.opensearch.long_texts import (
    MAX_TERM,
    digests,
    first_piece,
    later_pieces,
    windows,
)
from crm_projections.adapters.opensearch.names import MAX_ID_BYTES
from crm_projections.adapters.refusals import UnfitDocumentError, encode, values_of
from crm_projections.domain.keys import Key
from crm_projections.domain.words import words_of
from crm_projections.ports.read_model import Document, StoredDocument

Values = Sequence[tuple[FieldSpec, Any, Any]]
OWN: Final = "_search"
ID, DELETED, WORDS, LISTS = f"{OWN}.id", f"{OWN}.deleted", f"{OWN}.words", f"{OWN}.lists"
MAPPING: Final = "_meta.mapping"
TRUE, FALSE = "true", "false"
KEYED = (FieldKind.TEXT, FieldKind.DECIMAL)
# What the document itself says of these counts, whatever its fields hold.
_OWN_PLACES: Final = {"id": (ID,) * 3, "is_deleted": (DELETED,) * 3}
_KEYWORD: Final = {"type": "keyword"}
_UNSORTED: Final = {"type": "keyword", "doc_values": False}
_BOUNDED: Final = {"type": "keyword", "doc_values": False, "ignore_above": MAX_TERM}
_KEPT: Final = {"type": "keyword", "index": False, "doc_values": False}
_FIELD_MAPPINGS: dict[FieldKind, dict[str, Any]] = {
    FieldKind.TEXT: _BOUNDED,
    FieldKind.LONG_TEXT: _KEPT,
    FieldKind.ID: _KEYWORD,
    FieldKind.BOOL: {"type": "boolean", "doc_values": False, "fields": {"key": _KEYWORD}},
    FieldKind.DATE: _KEYWORD,
    FieldKind.TIME: _KEYWORD,
    FieldKind.INT: {"type": "long", "fields": {"text": _UNSORTED}},
    FieldKind.DECIMAL: _BOUNDED,
    FieldKind.LIST: _BOUNDED,
}
_META_MAPPING: Final = {
    "properties": {
        "version": {"type": "long", "index": False, "doc_values": False},
        "order_key": _KEPT,
        "complete": {"type": "boolean", "doc_values": False},
        "mapping": _KEYWORD,
        "projected_at": _KEPT,
        "issues": {"type": "object", "enabled": False},
    }
}


@dataclass(frozen=True, slots=True)
class IndexField:
    """Where a field's values are found in the index.

    ``key`` is what they are sorted and compared by, ``exact`` what equal texts are equal by, ``text`` where parts are
    looked for; ``long`` is the object with the pieces of long texts. ``text_is_lower``: it was lower-cased before it
    came, the others have no letters but ASCII's.
    """

    name: str
    kind: FieldKind
    key: str
    exact: str
    text: str

    @property
    def long(self) -> str:
        """Return the object that holds the pieces of values too long for a term."""
        return f"{OWN}.long.{self.name}"

    @property
    def text_is_lower(self) -> bool:
        """Say whether the text was lower-cased before it was stored."""
        return self.kind in (FieldKind.TEXT, FieldKind.BOOL)


@dataclass(frozen=True)
class Layout:
    """The fields of a generation; long texts cannot be searched."""

    fields: tuple[FieldSpec, ...]
    by_name: Mapping[str, IndexField]

    def find(self, name: str) -> IndexField | None:
        """Return where a field is, ``None`` if it reads as null."""
        return self.by_name.get(name)

    def sortable(self, name: str) -> IndexField | None:
        """Return where a field with an order is, ``None`` for any other: it sorts as if it were null."""
        found = self.by_name.get(name)
        return None if found is None or found.kind is FieldKind.LIST else found

    def body(self, document: Document) -> bytes:
        """Return a document as the index takes it.

        :raises UnfitDocumentError: a value does not fit its field.
        """
        _require_fit_id(document.id)
        values = values_of(document, self.fields)
        served = encode(document, self.fields)
        own = _search_values(document, values)
        # Nearly no document is; and one that is shorter as a whole holds nothing too long.
        if len(served) > MAX_TERM // 2:
            own |= _long_values(values)
        return b'%s,"%s":%s}' % (served[:-1], OWN.encode(), orjson.dumps(own))


@lru_cache(maxsize=256)
def layout_of(fields: tuple[FieldSpec, ...]) -> Layout:
    """Return the layout of a generation with these fields."""
    return Layout(fields, {spec.name: _index_field(spec) for spec in fields if spec.is_filterable})


def mapping_of(fields: Sequence[FieldSpec]) -> dict[str, Any]:
    """Return the mapping of a generation's index; what it does not name is refused."""
    keys = {spec.name: _KEYWORD for spec in fields if spec.kind in KEYED}
    return {
        "dynamic": "strict",
        # Pieces of long texts are rare: they get their fields when the first one comes.
        "dynamic_templates": [
            {"long": {"path_match": f"{OWN}.long.*", "match_mapping_type": "string", "mapping": _KEYWORD}}
        ],
        "properties": {
            **{spec.name: _FIELD_MAPPINGS[spec.kind] for spec in fields},
            "_meta": _META_MAPPING,
            OWN: {
                "properties": {
                    "id": _KEYWORD,
                    "deleted": _KEYWORD,
                    "words": _UNSORTED,
                    "lists": _UNSORTED,
                    "keys": {"properties": keys},
                    "long": {"dynamic": True, "properties": {}},
                }
            },
        },
    }


def stored_document(id_: str, source: dict[str, Any]) -> StoredDocument:
    """Return a document from what the index holds of it, byte for byte as it was written."""
    own = source.pop(OWN)
    return StoredDocument(id_, source["_meta"]["version"], own["deleted"] == TRUE, orjson.dumps(source))


def _index_field(spec: FieldSpec) -> IndexField:
    return IndexField(spec.name, spec.kind, *(_OWN_PLACES.get(spec.name) or _places(spec.name, spec.kind)))


def _places(name: str, kind: FieldKind) -> tuple[str, str, str]:
    """Return the key, the exact value and the text of a field."""
    match kind:
        case FieldKind.TEXT:
            return f"{OWN}.keys.{name}", name, f"{OWN}.keys.{name}"
        case FieldKind.DECIMAL:
            return f"{OWN}.keys.{name}", f"{OWN}.keys.{name}", name
        case FieldKind.BOOL:
            return (f"{name}.key",) * 3
        case FieldKind.INT:
            return name, name, f"{name}.text"
    return (name,) * 3


def _search_values(document: Document, values: Values) -> dict[str, Any]:
    keys: dict[str, str] = {}
    words: set[str] = set()
    lists: list[str] = []
    for spec, value, key in values:
        if value is None:
            continue
        if spec.kind in KEYED:
            keys[spec.name] = first_piece(key)
        elif spec.kind is FieldKind.LIST:
            lists.append(spec.name)
        if spec.name_like:
            words.update(words_of(value))
    own: dict[str, Any] = {"id": document.id, "deleted": TRUE if document.is_deleted else FALSE, "keys": keys}
    own["words"] = list(words)
    return own | {"lists": lists} if lists else own


def _long_values(values: Values) -> dict[str, Any]:
    long = {spec.name: pieces for spec, value, key in values if (pieces := _long_pieces(spec.kind, value, key))}
    return {"long": long} if long else {}


def _long_pieces(kind: FieldKind, value: Any, key: Key) -> dict[str, Any]:
    """Return what a value that is too long for a term is found by; nothing for any other."""
    match kind, value:
        case FieldKind.LIST, list() | tuple():
            found = digests(value)
            return {"digest": found} if found else {}
        case ((FieldKind.TEXT | FieldKind.DECIMAL), str()) if max(len(value), len(str(key))) > MAX_TERM:
            exact, text = (value, str(key)) if kind is FieldKind.TEXT else (str(key), value.lower())
            pieces = {f"piece_{number}": piece for number, piece in enumerate(later_pieces(str(key)), 1)}
            start = {"start": first_piece(text)} if kind is FieldKind.DECIMAL else {}
            return {"digest": digests([exact]), "windows": windows(text), **start, **pieces}
    return {}


def _require_fit_id(id_: str) -> None:
    if not id_ or len(id_.encode(errors="replace")) > MAX_ID_BYTES:
        raise UnfitDocumentError(
            f"The document's id has no characters or more than {MAX_ID_BYTES} bytes. Correct the mapping."
        )
