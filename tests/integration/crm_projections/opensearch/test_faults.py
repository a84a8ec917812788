import threading
from collections.abc import Iterator

import pytest

from crm_projections.adapters.opensearch import connection, writing
from crm_projections.ports.read_model import ReadModelUnavailableError, SaveOutcome, SearchQuery
from tests.contracts.documents import a_document, fill, find, ids_of, serving
from tests.contracts.generations import another, switch_to
from tests.opensearch import OpenSearchIndices
from tests.proxy import Proxy, proxy_to
from tests.waiting import wait_until


@pytest.fixture
def proxy(opensearch: OpenSearchIndices) -> Iterator[Proxy]:
    with proxy_to(opensearch.url) as made:
        yield made


def test_an_answer_that_got_lost_loses_and_doubles_nothing(opensearch: OpenSearchIndices, proxy: Proxy) -> None:
    generation, model = serving(opensearch.model), opensearch.another(hosts=[proxy.url])
    model.ping()
    proxy.resets = 2

    results = model.save_many(generation, [a_document("1", version=3), a_document("2", version=5)])
    model.refresh("thing")

    assert [result.outcome for result in results] == [SaveOutcome.SAVED, SaveOutcome.SAVED]
    assert find(model) == ["1", "2"]


def test_a_generation_is_made_once_though_the_answers_got_lost(opensearch: OpenSearchIndices, proxy: Proxy) -> None:
    model = opensearch.another(hosts=[proxy.url])
    serving(model)
    for lost in range(1, 6):
        proxy.resets = lost % 3
        fill(model, a_document(str(lost)))

    assert [generation.number for generation in model.generations("thing")] == [1]
    assert len(opensearch.indices()) == 1


@pytest.mark.parametrize("lost", range(1, 8))
def test_generations_survive_answers_that_got_lost(
    opensearch: OpenSearchIndices, proxy: Proxy, lost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The n-th answer on the way through creation, filling and switch is lost."""
    model = opensearch.another(hosts=[proxy.url])
    fill(opensearch.model, a_document("1"))
    sent, send = [], connection.Connection._send

    def counted(self: connection.Connection, call: connection.Call) -> object:
        sent.append(call)
        if len(sent) == lost:
            proxy.resets = 1
        return send(self, call)

    monkeypatch.setattr(connection.Connection, "_send", counted)
    made = another(model)
    model.save_many(made, [a_document("2")])
    switch_to(model, made)

    assert [(one.number, one.serves) for one in opensearch.model.generations("thing")] in (
        [(1, False), (2, True)],
        [(1, False), (3, True)],
    )
    assert find(opensearch.model) == ["2"]


def test_an_engine_that_does_not_answer_in_time_is_an_outage(opensearch: OpenSearchIndices, proxy: Proxy) -> None:
    fill(opensearch.model, a_document("1"))
    model = opensearch.another(hosts=[proxy.url])
    assert find(model) == ["1"]
    proxy.silent = True

    with pytest.raises(ReadModelUnavailableError, match="in time"):
        model._connection.call(connection.Call("GET", "/", timeout=0.2))


def test_work_goes_on_when_the_engine_is_back(opensearch: OpenSearchIndices, proxy: Proxy) -> None:
    generation, model = serving(opensearch.model), opensearch.another(hosts=[proxy.url])
    model.ping()
    proxy.gone = True
    with pytest.raises(ReadModelUnavailableError, match="Next:"):
        model.save_many(generation, [a_document("1")])

    proxy.gone = False
    model.save_many(generation, [a_document("1")])
    model.refresh("thing")

    assert find(model) == ["1"]


def test_an_engine_that_is_gone_for_a_moment_is_waited_for(
    opensearch: OpenSearchIndices, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_FIRST_PAUSE", 0.2)
    generation, model = serving(opensearch.model), opensearch.another(hosts=[proxy.url])
    proxy.gone = True
    saved: list[object] = []
    saving = threading.Thread(target=lambda: saved.extend(model.save_many(generation, [a_document("1")])))
    saving.start()
    wait_until(lambda: proxy.refused > 1)
    proxy.gone = False
    saving.join(30)

    assert [getattr(result, "outcome", None) for result in saved] == [SaveOutcome.SAVED]


def test_a_full_disk_is_an_outage_in_words_and_nothing_is_lost(
    opensearch: OpenSearchIndices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "WRITE_ATTEMPTS", 2)
    generation = serving(opensearch.model)
    # What the engine sets by itself when its disk is fuller than the flood stage.
    settings = f"/{opensearch.prefix}-thing-000001/_settings"
    opensearch.call("PUT", settings, {"index.blocks.read_only_allow_delete": True})

    with pytest.raises(ReadModelUnavailableError, match="make room on its disks"):
        opensearch.model.save_many(generation, [a_document("1")])
    opensearch.call("PUT", settings, {"index.blocks.read_only_allow_delete": None})
    fill(opensearch.model, a_document("1"))

    assert ids_of(opensearch.model.search("thing", SearchQuery())) == ["1"]
