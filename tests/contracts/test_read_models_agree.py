"""Any documents and any query: the read models on SQL and OpenSearch give the answers of the one in memory."""

from collections.abc import Sequence
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_mappings.schema import FieldKind
from crm_projections.adapters.memory import MemoryReadModel
from crm_projections.adapters.sql.read_model import SQLReadModel
from crm_projections.ports.read_model import Document, Filter, Operator, ReadModel, SearchQuery, SearchResult, Sort
from tests.contracts.documents import FIELDS, NOW, a_document, a_schema, ids_of
from tests.opensearch import OpenSearchIndices

# Few letters, so that values meet; some whose order or lower case is not what ASCII would make one think.
TEXTS = st.text("aAbBéÉßİσΣ_%\\ 'x\U0001f600\uffff\ud7ff\ue000", max_size=4) | st.sampled_from(
    # Around the bounds of what indexes hold: of SQL's, and of OpenSearch's terms and queries.
    ["x" * 400, "x" * 401, "X" * 402, "É" * 451, "y" * 8_191, "y" * 8_191 + "a", "Y" * 8_191 + "B", "y" * 20_000]
)
PARTS_OF_TEXTS = st.text("aAéÉß10.-%_*?\\x", max_size=3) | st.sampled_from(
    ["x" * 64, "x" * 65, "x" * 401, "É" * 451, "y" * 8_192, "Ya", "y" * 100 + "b"]
)
DECIMALS = st.decimals(-1000, 1000, places=2).map(str) | st.sampled_from(
    ["0", "-0", "10", "10.0", "1" * 30, "0." + "1" * 30]
)
VALUES: dict[FieldKind, st.SearchStrategy[Any]] = {
    FieldKind.TEXT: TEXTS,
    FieldKind.LONG_TEXT: TEXTS,
    FieldKind.ID: st.text("aA0", min_size=1, max_size=3),
    FieldKind.BOOL: st.booleans(),
    FieldKind.DATE: st.dates().map(str),
    FieldKind.TIME: st.datetimes().map(lambda moment: moment.isoformat(timespec="milliseconds") + "Z"),
    FieldKind.INT: st.integers(-3, 3) | st.integers(-(2**62), 2**62),
    FieldKind.DECIMAL: DECIMALS,
    FieldKind.LIST: st.lists(st.sampled_from(["a", "A", "a;b", "\x1f", "\x1e1", "é"]), max_size=3),
}
IDS = st.text("aAbB01", min_size=1, max_size=3)
NAMES = [spec.name for spec in FIELDS] + ["unknown"]
PARTS = (Operator.CONTAINS, Operator.STARTSWITH)
Seen = tuple[list[str], int | None, list[Any] | None]
_entities = count()


@st.composite
def documents(draw: st.DrawFn) -> list[Document]:
    ids = draw(st.lists(IDS, max_size=12, unique=True))
    return [
        a_document(
            id_,
            deleted=draw(st.integers(0, 4)) == 0,
            version=1,
            mapping="m1",
            **{spec.name: draw(st.none() | VALUES[spec.kind]) for spec in FIELDS[2:]},
        )
        for id_ in ids
    ]


@st.composite
def filters(draw: st.DrawFn) -> Filter:
    name, operator = draw(st.sampled_from(NAMES)), draw(st.sampled_from(Operator))
    kind = next((spec.kind for spec in FIELDS if spec.name == name), FieldKind.TEXT)
    value = st.sampled_from(["a", "A", "a;b", "\x1f"]) if kind is FieldKind.LIST else VALUES[kind]
    if operator is Operator.ISNULL:
        value = st.booleans()
    elif operator is Operator.IN:
        value = st.lists(value, max_size=3).map(tuple)
    elif operator in PARTS:
        value = PARTS_OF_TEXTS
    return Filter(name, operator, draw(value))


QUERIES = st.builds(
    SearchQuery,
    filters=st.lists(filters(), max_size=2),
    words=st.lists(st.text("aAbéÉßİσΣx", max_size=2), max_size=2),
    sort=st.lists(
        st.builds(Sort, st.sampled_from(NAMES), st.booleans()), max_size=3, unique_by=lambda item: item.field
    ),
    include_deleted=st.booleans(),
    limit=st.integers(1, 5),
    offset=st.integers(0, 4),
)


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents(), st.lists(QUERIES, min_size=1, max_size=6))
def test_the_answers_of_sql_are_those_of_memory(
    sql_alias: str, held: list[Document], queries: list[SearchQuery]
) -> None:
    _assert_agrees_with_memory(SQLReadModel(sql_alias), held, queries)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents(), st.lists(QUERIES, min_size=1, max_size=12))
def test_the_answers_of_opensearch_are_those_of_memory(
    opensearch: OpenSearchIndices, held: list[Document], queries: list[SearchQuery]
) -> None:
    _assert_agrees_with_memory(opensearch.model, held, queries)
    opensearch.call("DELETE", f"/{opensearch.prefix}-*")


def _assert_agrees_with_memory(other: ReadModel, held: list[Document], queries: list[SearchQuery]) -> None:
    entity, memory = f"thing{next(_entities)}", MemoryReadModel()
    for model in (memory, other):
        model.save_many(model.ensure_serving(a_schema(entity), "m1", NOW), held)
        model.refresh(entity)

    for query in queries:
        assert _walk(other, entity, query) == _walk(memory, entity, query)


def _walk(model: ReadModel, entity: str, query: SearchQuery) -> list[Seen]:
    """Return the page of a query, and all pages of the walk that goes on from it."""
    answers: list[Seen] = []
    result = model.search(entity, query)
    while True:
        answers.append(_seen(result))
        if result.next_position is None:
            return answers
        result = model.search(entity, _after(query, result.next_position))


def _after(query: SearchQuery, position: Sequence[Any]) -> SearchQuery:
    return SearchQuery(query.filters, query.words, query.sort, query.include_deleted, query.limit, after=position)


def _seen(result: SearchResult) -> Seen:
    position = None if result.next_position is None else list(result.next_position)
    return ids_of(result), result.count, position
