from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from crm_projections.adapters.opensearch import writing
from crm_projections.adapters.opensearch.connection import WRITE_ATTEMPTS
from crm_projections.adapters.opensearch.read_model import OpenSearchReadModel
from crm_projections.adapters.opensearch.writing import Item, batches
from crm_projections.ports.read_model import (
    Document,
    Generation,
    GenerationState,
    ReadModelUnavailableError,
    SaveOutcome,
    SaveResult,
    UnknownGenerationError,
)
from tests.contracts.documents import FIELDS, a_document
from tests.stub_cluster import Request, Script, stub_cluster

SAVED, STALE, REFUSED = SaveOutcome.SAVED, SaveOutcome.STALE, SaveOutcome.REFUSED
GENERATION = Generation(
    "thing", 7, FIELDS, "m1", GenerationState.READY, serves=True, created_at=datetime(2026, 10, 6, tzinfo=UTC)
)
A, B, C = a_document("a"), a_document("b"), a_document("c")
Answer = tuple[int, Any] | None


def bulk(*items: tuple[int, str] | int) -> Answer:
    """Return the answer to a bulk request: a status for each item, or a status and the type of its error."""
    told = [
        {"status": item} if isinstance(item, int) else {"status": item[0], "error": {"type": item[1], "reason": "why"}}
        for item in items
    ]
    return 200, {"errors": any("error" in one for one in told), "items": [{"index": one} for one in told]}


def save(answers: list[Answer], *documents: Document) -> tuple[list[SaveResult], list[Request]]:
    script = Script(answers)
    with stub_cluster(script) as url:
        return OpenSearchReadModel(hosts=[url]).save_many(GENERATION, documents), script.requests


def ids_in(request: Request) -> list[str]:
    return [orjson.loads(line)["index"]["_id"] for line in request.body.splitlines()[::2]]


def test_versions_decide_and_no_index_is_made() -> None:
    _, requests = save([bulk(201)], a_document("a", version=4))

    assert orjson.loads(requests[0].body.splitlines()[0]) == {
        "index": {"_id": "a", "version": 4, "version_type": "external_gte"}
    }
    assert requests[0].path.startswith("/crm-thing-000007-writes/_bulk?")
    assert "require_alias=true" in requests[0].path


def test_each_document_has_its_own_outcome() -> None:
    results, _ = save(
        [bulk(201, (409, "version_conflict_engine_exception"), (400, "mapper_parsing_exception"))], A, B, C
    )

    assert [(result.id, result.outcome) for result in results] == [("a", SAVED), ("b", STALE), ("c", REFUSED)]
    assert results[2].error == "OpenSearch refuses the document: why. Correct the mapping."


@pytest.mark.parametrize(
    "trouble",
    [(429, "es_rejected_execution_exception"), (503, "unavailable_shards_exception"), (403, "cluster_block_exception")],
)
def test_only_what_was_refused_for_now_is_sent_again(trouble: tuple[int, str]) -> None:
    results, requests = save([bulk(201, trouble, 201), bulk(201)], A, B, C)

    assert [result.outcome for result in results] == [SAVED, SAVED, SAVED]
    assert [ids_in(request) for request in requests] == [["a", "b", "c"], ["b"]]


@pytest.mark.parametrize("trouble", [(429, {"error": "busy"}), (503, {"error": "no node"}), None])
def test_a_batch_that_was_refused_whole_or_lost_is_sent_again(trouble: Answer) -> None:
    results, requests = save([trouble, bulk(201)], A)

    assert [result.outcome for result in results] == [SAVED]
    assert len(requests) == 2


def test_what_is_refused_to_the_end_is_an_outage_not_a_refusal() -> None:
    script = Script([bulk((403, "cluster_block_exception"))])
    with stub_cluster(script) as url, pytest.raises(ReadModelUnavailableError, match="why"):
        OpenSearchReadModel(hosts=[url]).save_many(GENERATION, [A])

    assert len(script.requests) == WRITE_ATTEMPTS


def test_a_generation_that_is_gone_is_said() -> None:
    with pytest.raises(UnknownGenerationError):
        save([bulk(201, (404, "index_not_found_exception"))], A, B)


def test_a_request_that_is_too_large_is_sent_in_halves() -> None:
    results, requests = save([(413, {"error": "too large"}), bulk(201), bulk(201, 201)], A, B, C)

    assert [result.outcome for result in results] == [SAVED, SAVED, SAVED]
    assert [ids_in(request) for request in requests] == [["a", "b", "c"], ["a"], ["b", "c"]]


def test_a_document_that_is_too_large_alone_is_refused() -> None:
    results, _ = save([(413, {"error": "too large"}), (413, {"error": "too large"}), bulk(201)], A, B)

    assert [result.outcome for result in results] == [REFUSED, SAVED]
    assert "http.max_content_length" in results[0].error


def test_documents_travel_by_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "MAX_DOCUMENTS", 2)

    _, requests = save([bulk(201, 201), bulk(201)], A, B, C)

    assert [ids_in(request) for request in requests] == [["a", "b"], ["c"]]


def test_documents_travel_by_bytes() -> None:
    items = [Item(str(size), b"x" * size) for size in (4, 5, 6, 20, 1)]

    assert [[item.id for item in batch] for batch in batches(iter(items), 100, 10)] == [
        ["4", "5"],
        ["6"],
        ["20"],
        ["1"],
    ]
