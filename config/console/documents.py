"""Documents as the read model serves them: one entity in keyset pages, or a search in all of them."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config.console.rows import document_states, name_of
from config.console.walks import steps
from crm_events.admin.states import CURRENT, State
from crm_mappings.mapping import EntityMapping
from crm_mappings.registry import all_mappings, mapping_for_entity
from crm_projections.backends import read_model
from crm_projections.domain.words import words_of
from crm_projections.ports.read_model import (
    InvalidPositionError,
    ReadModelUnavailableError,
    SearchQuery,
    SearchResult,
    StoredDocument,
)

_PAGE_SIZE = 50
# Of each entity, where all of them are searched at once.
_FIRST_FEW = 10
_TROUBLE = "The read model does not answer, so no document can be shown. The records are safe in the event store."


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """One document in a list."""

    id: str
    entity: str
    source: str
    name: str
    version: int
    states: Sequence[State]
    projected_at: datetime | None


def document_list(query: Mapping[str, str]) -> dict[str, Any]:
    """Return the context of the documents' page for a query string: ``entity``, ``q``, ``cursor``, ``trail``."""
    mappings = all_mappings()
    text = query.get("q", "").strip()
    chosen = mapping_for_entity(query.get("entity", ""))
    if chosen is None and not text:
        chosen = mappings[0]
    context = {"q": text, "chosen": chosen.entity if chosen else "", "entities": [each.entity for each in mappings]}
    try:
        return context | (_one_entity(chosen, query) if chosen else _all_entities(mappings, text))
    except ReadModelUnavailableError:
        return context | {"rows": [], "trouble": _TROUBLE}


def _one_entity(mapping: EntityMapping, query: Mapping[str, str]) -> dict[str, Any]:
    cursor, result = query.get("cursor") or None, None
    words = words_of(query.get("q", ""))
    if after := _position(cursor):
        try:
            result = _search(mapping, words, after)
        except InvalidPositionError:
            cursor = None
    result = result or _search(mapping, words, None)
    onward = _cursor(result.next_position) if result.next_position else None
    generation = next((each for each in read_model().generations(mapping.entity) if each.serves), None)
    return {
        "rows": [_row(mapping, document) for document in result.documents],
        "count": result.count,
        "count_is_lower_bound": result.count_is_lower_bound,
        "generation": generation,
        "steps": steps(query, cursor if after else None, onward),
    }


def _all_entities(mappings: Sequence[EntityMapping], text: str) -> dict[str, Any]:
    words = words_of(text)
    rows: list[DocumentRow] = []
    for mapping in mappings:
        result = _search(mapping, words, None, _FIRST_FEW)
        rows += [_row(mapping, document) for document in result.documents]
    return {"rows": rows, "first_few": _FIRST_FEW}


def _search(
    mapping: EntityMapping, words: Sequence[str], after: Sequence[Any] | None, limit: int = _PAGE_SIZE
) -> SearchResult:
    query = SearchQuery(words=tuple(words), include_deleted=True, limit=limit, after=after)
    return read_model().search(mapping.entity, query)


def _row(mapping: EntityMapping, document: StoredDocument) -> DocumentRow:
    values = document.decode()
    return DocumentRow(
        document.id,
        mapping.entity,
        mapping.source,
        name_of(mapping, values),
        document.version,
        document_states(mapping, values) or [CURRENT],
        projected_at(values),
    )


def projected_at(values: Mapping[str, Any]) -> datetime | None:
    """Return when a document was made."""
    text = values.get("_meta", {}).get("projected_at")
    return datetime.fromisoformat(text) if text else None


def _cursor(position: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(list(position)).encode()).decode()


def _position(cursor: str | None) -> list[Any] | None:
    try:
        position = json.loads(base64.urlsafe_b64decode(cursor.encode())) if cursor else None
    except (binascii.Error, ValueError):
        return None
    return position if isinstance(position, list) else None
