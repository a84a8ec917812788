"""A schema with a field of every kind, and documents of it with boring defaults."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from crm_mappings.schema import EntitySchema, FieldKind, FieldSpec
from crm_projections.ports.read_model import (
    Document,
    Filter,
    Generation,
    Operator,
    ReadModel,
    SaveOutcome,
    SearchQuery,
    SearchResult,
    Sort,
)

NOW = datetime(2026, 10, 6, 7, 20, 9, 123456, tzinfo=UTC)
FIELDS = (
    FieldSpec("id", FieldKind.ID),
    FieldSpec("is_deleted", FieldKind.BOOL),
    FieldSpec("name", FieldKind.TEXT, name_like=True),
    FieldSpec("nickname", FieldKind.TEXT, name_like=True),
    FieldSpec("status", FieldKind.TEXT),
    FieldSpec("owner_id", FieldKind.ID),
    FieldSpec("amount", FieldKind.DECIMAL),
    FieldSpec("term", FieldKind.INT),
    FieldSpec("won", FieldKind.BOOL),
    FieldSpec("close_date", FieldKind.DATE),
    FieldSpec("seen_at", FieldKind.TIME),
    FieldSpec("tags", FieldKind.LIST),
    FieldSpec("notes", FieldKind.LONG_TEXT),
)


def a_schema(entity: str = "thing", without: str = "") -> EntitySchema:
    return EntitySchema(entity, "Thing__c", tuple(spec for spec in FIELDS if spec.name != without))


def a_document(
    id_: str = "001A", *, version: int = 1, deleted: bool = False, mapping: str = "m1", **values: Any
) -> Document:
    """Return a document; fields that are not given are null."""
    own = {"id": id_, "is_deleted": deleted}
    return Document(
        id=id_,
        version=version,
        order_key=f"{version:032d}",
        complete=True,
        mapping=mapping,
        projected_at=NOW,
        values={spec.name: values.get(spec.name) for spec in FIELDS} | own,
    )


def a_column(field: str, *values: Any) -> list[Document]:
    """Return a document ``1``, ``2``, ... for each value of one field."""
    return [a_document(str(number), **{field: value}) for number, value in enumerate(values, 1)]


def serving(model: ReadModel, entity: str = "thing") -> Generation:
    return model.ensure_serving(a_schema(entity), "m1", NOW)


def fill(model: ReadModel, *documents: Document, entity: str = "thing") -> list[SaveOutcome]:
    """Save into the serving generation."""
    results = model.save_many(serving(model, entity), documents)
    model.refresh(entity)
    return [result.outcome for result in results]


def find(
    model: ReadModel, *filters: tuple[str, Operator, Any], words: Sequence[str] = (), entity: str = "thing"
) -> list[str]:
    """Return the ids of the documents that match, by id."""
    query = SearchQuery(filters=[Filter(*item) for item in filters], words=words, limit=500)
    return ids_of(model.search(entity, query))


def sorted_ids(model: ReadModel, *sort: str) -> list[str]:
    """Return all ids in the order of ``name`` or ``-name``."""
    return ids_of(model.search("thing", SearchQuery(sort=sorts(*sort), limit=500)))


def sorts(*names: str) -> list[Sort]:
    return [Sort(name.removeprefix("-"), name.startswith("-")) for name in names]


def ids_of(result: SearchResult) -> list[str]:
    return [document.id for document in result.documents]
