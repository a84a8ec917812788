"""The query service on the read model."""

from collections.abc import Collection
from dataclasses import replace

from crm_projections.ports.queries import (
    CrmQueryService,
    EntityNotFoundError,
    EntityQuery,
    ListQuery,
    Page,
    PageNumber,
    UnknownEntityError,
    Walk,
)
from crm_projections.ports.read_model import EXACT_COUNT_LIMIT, ReadModel, SearchQuery, SearchResult, StoredDocument


class ReadModelQueryService(CrmQueryService):
    """Answer from a read model; ``entities`` are the names that mappings make."""

    def __init__(self, read_model: ReadModel, entities: Collection[str]) -> None:
        self._read_model = read_model
        self._entities = entities

    def entities(self, entity: str, query: ListQuery) -> Page:
        """Search the serving generation."""
        self._require(entity)
        if query.selection.is_empty:
            return Page((), 0, count_is_lower_bound=False, next=None, previous=_previous(query.paging))
        result = self._read_model.search(entity, _search_query(query))
        return Page(
            results=result.documents,
            count=result.count,
            count_is_lower_bound=result.count_is_lower_bound,
            next=_next(query.paging, result),
            previous=_previous(query.paging),
        )

    def entity(self, query: EntityQuery) -> StoredDocument:
        """Fetch by id, which no refresh interval delays."""
        self._require(query.entity)
        found = self._read_model.get_many(query.entity, [query.entity_id]).get(query.entity_id)
        if found is None:
            raise EntityNotFoundError(query.entity, query.entity_id)
        if found.is_deleted and not query.include_deleted:
            raise EntityNotFoundError(query.entity, query.entity_id, deleted=True)
        return found

    def _require(self, entity: str) -> None:
        if entity not in self._entities:
            raise UnknownEntityError(entity, sorted(self._entities))


def _search_query(query: ListQuery) -> SearchQuery:
    selection, paging = query.selection, query.paging
    common = SearchQuery(selection.filters, selection.words, selection.sort, selection.include_deleted)
    if isinstance(paging, PageNumber):
        return replace(common, limit=paging.limit, offset=paging.offset)
    # A walk counts once, at its start.
    return replace(common, limit=paging.size, after=paging.after, with_count=paging.after is None)


def _next(paging: PageNumber | Walk, result: SearchResult) -> PageNumber | Walk | None:
    if result.next_position is None:
        return None
    if isinstance(paging, PageNumber) and paging.offset + paging.limit < EXACT_COUNT_LIMIT:
        return PageNumber(paging.number + 1, paging.size)
    # Numbered pages end here, rows do not: whoever follows the links goes on as a walk.
    return Walk(result.next_position, paging.size)


def _previous(paging: PageNumber | Walk) -> PageNumber | None:
    if isinstance(paging, Walk) or paging.number == 1:
        return None
    return PageNumber(paging.number - 1, paging.size)
