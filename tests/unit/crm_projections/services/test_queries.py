from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from crm_mappings.schema import EntitySchema, FieldKind, FieldSpec
from crm_projections.adapters.memory import MemoryReadModel
from crm_projections.ports.queries import (
    CrmQueryService,
    EntityNotFoundError,
    EntityQuery,
    ListQuery,
    Page,
    PageNumber,
    Selection,
    UnknownEntityError,
    Walk,
)
from crm_projections.ports.read_model import EXACT_COUNT_LIMIT, Document, Filter, Operator
from crm_projections.services.queries import ReadModelQueryService

NOW = datetime(2026, 10, 6, tzinfo=UTC)
ENTITIES = ("client", "contact", "contract", "deal", "lead")


def _service(entity: str = "client", count: int = 0, **values: Any) -> ReadModelQueryService:
    fields = (FieldSpec("id", FieldKind.ID), FieldSpec("is_deleted", FieldKind.BOOL))
    model = MemoryReadModel()
    generation = model.ensure_serving(EntitySchema(entity, "Object", fields), "m", NOW)
    model.save_many(generation, [_document(f"{n:018d}", values) for n in range(count)])
    model.refresh(entity)
    return ReadModelQueryService(model, ENTITIES)


def _document(entity_id: str, values: dict[str, Any]) -> Document:
    return Document(
        id=entity_id,
        version=1,
        order_key="k",
        complete=True,
        mapping="m",
        projected_at=NOW,
        values={"id": entity_id, "is_deleted": False, **values},
    )


def _ids(page: Page) -> Sequence[int]:
    return [int(document.id) for document in page.results]


@pytest.mark.parametrize(
    ("entity", "ask"),
    [
        ("client", CrmQueryService.clients),
        ("contact", CrmQueryService.contacts),
        ("contract", CrmQueryService.contracts),
        ("deal", CrmQueryService.deals),
        ("lead", CrmQueryService.leads),
    ],
)
def test_each_entity_has_a_query_of_its_own(entity: str, ask: Callable[[CrmQueryService, ListQuery], Page]) -> None:
    assert ask(_service(entity, 1), ListQuery()).count == 1


def test_pages_have_neighbours() -> None:
    page = _service(count=5).clients(ListQuery(paging=PageNumber(2, 2)))
    assert (_ids(page), page.count) == ([2, 3], 5)
    assert (page.next, page.previous) == (PageNumber(3, 2), PageNumber(1, 2))


def test_the_first_page_has_none_before_and_the_last_none_after() -> None:
    service = _service(count=2)
    assert service.clients(ListQuery(paging=PageNumber(1, 1))).previous is None
    assert service.clients(ListQuery(paging=PageNumber(2, 1))).next is None


def test_a_walk_counts_at_its_start_and_ends_with_nothing() -> None:
    service = _service(count=3)
    first = service.clients(ListQuery(paging=Walk(size=2)))
    assert isinstance(first.next, Walk)
    second = service.clients(ListQuery(paging=first.next))
    assert (_ids(first), first.count, _ids(second), second.count, second.next) == ([0, 1], 3, [2], None, None)


def test_a_page_by_number_is_cut_at_the_last_row_pages_reach() -> None:
    paging = PageNumber(34, 300)
    assert (paging.offset, paging.limit) == (9_900, 100)
    assert PageNumber(35, 300).limit == 0


def test_the_last_page_by_number_goes_on_as_a_walk() -> None:
    service = _service(count=EXACT_COUNT_LIMIT + 1)
    last = service.clients(ListQuery(paging=PageNumber(20, 500)))
    assert last.count_is_lower_bound
    assert isinstance(last.next, Walk)
    assert _ids(service.clients(ListQuery(paging=last.next))) == [EXACT_COUNT_LIMIT]


def test_a_field_in_no_value_matches_nothing() -> None:
    nothing = Selection((Filter("id", Operator.IN, ()),))
    page = _service(count=3).clients(ListQuery(nothing))
    assert (page.results, page.count, page.next, page.previous) == ((), 0, None, None)


def test_a_document_is_found_by_its_id() -> None:
    assert _service(count=3).entity(EntityQuery("client", f"{2:018d}")).id == f"{2:018d}"


def test_a_document_that_is_not_there_is_an_error() -> None:
    with pytest.raises(EntityNotFoundError) as caught:
        _service(count=3).entity(EntityQuery("client", f"{9:018d}"))
    assert not caught.value.deleted


def test_a_tombstone_is_found_only_if_asked_for() -> None:
    service = _service(count=1, is_deleted=True)
    with pytest.raises(EntityNotFoundError) as caught:
        service.entity(EntityQuery("client", f"{0:018d}"))
    assert caught.value.deleted
    assert service.entity(EntityQuery("client", f"{0:018d}", include_deleted=True)).is_deleted


def test_an_entity_without_a_mapping_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(UnknownEntityError) as caught:
        _service().entities("campaign", ListQuery())
    assert caught.value.known == ENTITIES
    with pytest.raises(UnknownEntityError):
        _service().entity(EntityQuery("campaign", "x"))
