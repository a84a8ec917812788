"""Lists and documents of normalized entities."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.http import HttpResponse
from django.utils.http import urlencode
from rest_framework.request import Request

from crm_api.cursors import Bookmark, seal_cursor
from crm_api.lists import ListRequest, read_fields, read_list_request
from crm_api.openapi import describe_document, describe_list
from crm_api.parameters import Parameters
from crm_api.responses import bytes_response, document_body, list_body
from crm_api.views.base import ReadEndpoint
from crm_api.wiring import query_service
from crm_events.domain.errors import InvalidIdError
from crm_events.domain.identifiers import normalize_id
from crm_mappings.registry import all_mappings, mapping_for_entity
from crm_mappings.schema import EntitySchema
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

Fetch = Callable[[CrmQueryService, ListQuery], Page]


class EntityEndpoint(ReadEndpoint):
    """An endpoint on one entity: the class's own, or the one the address names."""

    entity: ClassVar[str] = ""

    @property
    def schema_of_entity(self) -> EntitySchema:
        """Return the entity's schema.

        :raises UnknownEntityError: no mapping makes this entity.
        """
        entity = self.entity or self.kwargs["entity"]
        mapping = mapping_for_entity(entity)
        if mapping is None:
            raise UnknownEntityError(entity, [known.entity for known in all_mappings()])
        return mapping.schema


class EntityList(EntityEndpoint):
    """A list of documents."""

    fetch: ClassVar[Fetch | None] = None

    def get(self, request: Request, **_names: str) -> HttpResponse:
        """Return one page of the list."""
        schema = self.schema_of_entity
        parameters = self.read_parameters()
        asked = read_list_request(parameters, schema)
        fetch = type(self).fetch
        page = fetch(query_service(), asked.query) if fetch else query_service().entities(schema.entity, asked.query)
        links = _Links(request, parameters, schema.entity, asked)
        return bytes_response(list_body(page.results, asked.fields, links.rest_of(page)))


class EntityDocument(EntityEndpoint):
    """One document."""

    def get(self, request: Request, entity_id: str, **_names: str) -> HttpResponse:  # noqa: ARG002
        """Return the document."""
        schema = self.schema_of_entity
        parameters = self.read_parameters()
        include_deleted = parameters.flag("include_deleted")
        fields = read_fields(parameters, schema)
        parameters.finish(["include_deleted", "fields"])
        try:
            query = EntityQuery(schema.entity, normalize_id(entity_id), include_deleted)
        except InvalidIdError as error:
            raise EntityNotFoundError(schema.entity, entity_id[:100]) from error
        return bytes_response(document_body(query_service().entity(query), fields))


class _Links:
    """What a list says beside its results."""

    def __init__(self, request: Request, parameters: Parameters, entity: str, asked: ListRequest) -> None:
        self._address = request.build_absolute_uri(request.path)
        self._given = parameters.given
        self._entity = entity
        self._asked = asked

    def rest_of(self, page: Page) -> dict[str, Any]:
        """Return count and links of a page; every step of a walk repeats the count of its first."""
        bookmark = self._asked.bookmark
        count = page.count if bookmark is None else bookmark.count
        is_lower_bound = page.count_is_lower_bound if bookmark is None else bookmark.count_is_lower_bound
        return {
            "count": count,
            "count_is_lower_bound": is_lower_bound,
            "next": self._next(page.next, count or 0, is_lower_bound),
            "previous": None if page.previous is None else self._url(page=str(page.previous.number)),
        }

    def _next(self, following: PageNumber | Walk | None, count: int, is_lower_bound: bool) -> str | None:
        if following is None:
            return None
        if isinstance(following, PageNumber):
            return self._url(page=str(following.number))
        bookmark = Bookmark(following.after or (), count, is_lower_bound)
        return self._url(cursor=seal_cursor(bookmark, self._entity, self._asked.query.selection))

    def _url(self, **place: str) -> str:
        kept = {name: value for name, value in self._given.items() if name not in ("page", "cursor")}
        return f"{self._address}?{urlencode({**kept, **place})}"


def list_view(entity: str, fetch: Fetch) -> type[EntityList]:
    """Return the list endpoint of one entity, described with its own fields."""
    return describe_list(type(f"{entity.title()}List", (EntityList,), {"entity": entity, "fetch": staticmethod(fetch)}))


def document_view(entity: str) -> type[EntityDocument]:
    """Return the document endpoint of one entity, described with its own fields."""
    return describe_document(type(f"{entity.title()}Document", (EntityDocument,), {"entity": entity}))
