from collections.abc import Callable

import pytest

from crm_projections.adapters.opensearch.aliases import Aliases
from crm_projections.adapters.opensearch.catalogue import Catalogue, Entry
from crm_projections.adapters.opensearch.lifecycle import Lifecycle
from crm_projections.ports.read_model import (
    GenerationState,
    ReadModelError,
    SearchQuery,
    UnknownGenerationError,
)
from tests.contracts.documents import NOW, a_document, a_schema, fill, find, ids_of, serving, sorts
from tests.contracts.generations import another, switch_to
from tests.opensearch import OpenSearchIndices


class DiedError(Exception):
    """The process ended here."""


def die(*_: object, **__: object) -> None:
    raise DiedError


class TestWrites:
    def test_a_write_to_a_dropped_generation_makes_no_index(self, opensearch: OpenSearchIndices) -> None:
        dropped = another(opensearch.model)
        opensearch.model.drop("thing", dropped.number)

        with pytest.raises(UnknownGenerationError):
            opensearch.another().save_many(dropped, [a_document()])
        assert opensearch.indices() == {f"{opensearch.prefix}-thing-000001"}

    def test_a_field_that_the_mapping_does_not_name_is_refused(self, opensearch: OpenSearchIndices) -> None:
        fill(opensearch.model, a_document())

        answer = opensearch.call("POST", f"/{opensearch.prefix}-thing-000001/_doc", {"stray": 1}, accept=(400,))

        assert answer["error"]["type"] == "strict_dynamic_mapping_exception"

    def test_a_document_the_engine_refuses_is_refused_alone(self, opensearch: OpenSearchIndices) -> None:
        generation = serving(opensearch.model)
        # As a generation's index would be that somebody changed by hand.
        opensearch.call(
            "PUT",
            f"/{opensearch.prefix}-thing-000001/_settings",
            {"index.mapping.total_fields.limit": opensearch.count_fields("thing", 1)},
        )

        results = opensearch.model.save_many(
            generation, [a_document("1"), a_document("2", name="x" * 9_000), a_document("3")]
        )

        assert [str(result.outcome) for result in results] == ["saved", "refused", "saved"]
        assert "Limit of total fields" in results[1].error
        assert sorted(opensearch.model.get_many("thing", ["1", "2", "3"])) == ["1", "3"]

    def test_nothing_is_seen_of_a_generation_before_it_is_ready(self, opensearch: OpenSearchIndices) -> None:
        made = another(opensearch.model)
        settings = f"/{opensearch.prefix}-thing-000002/_settings"

        def interval() -> str:
            found = opensearch.call("GET", settings, flat_settings="true")
            return str(found[f"{opensearch.prefix}-thing-000002"]["settings"]["index.refresh_interval"])

        assert interval() == "-1"
        switch_to(opensearch.model, made)
        assert interval() == "1s"


class TestReaders:
    def test_another_process_sees_a_switch_at_once(self, opensearch: OpenSearchIndices) -> None:
        fill(opensearch.model, a_document("1", term=5))
        other = opensearch.another()
        assert find(other) == ["1"]
        made = another(opensearch.model, without="term")
        opensearch.model.save_many(made, [a_document("2")])

        switch_to(opensearch.model, made)

        assert find(other) == ["2"]
        assert list(other.get_many("thing", ["1", "2"])) == ["2"]
        assert other.count_by_mapping("thing") == {"m1": 1}

    def test_a_search_knows_the_fields_of_the_generation_it_asks(self, opensearch: OpenSearchIndices) -> None:
        fill(opensearch.model, a_document("1", term=5))
        other, by_term = opensearch.another(), SearchQuery(sort=sorts("-term"))
        assert ids_of(other.search("thing", by_term)) == ["1"]
        made = another(opensearch.model, without="term")
        opensearch.model.save_many(made, [a_document("1", term=5), a_document("2", term=6)])
        switch_to(opensearch.model, made)

        assert ids_of(other.search("thing", by_term)) == ["1", "2"]

    def test_lost_aliases_are_put_back_by_the_next_reader(self, opensearch: OpenSearchIndices) -> None:
        fill(opensearch.model, a_document("1"))
        opensearch.call("DELETE", f"/{opensearch.prefix}-thing-000001/_alias/*")

        assert find(opensearch.model) == ["1"]
        assert list(opensearch.another().get_many("thing", ["1"])) == ["1"]
        assert fill(opensearch.model, a_document("2")) == ["saved"]

    def test_an_index_that_somebody_deleted_is_said(self, opensearch: OpenSearchIndices) -> None:
        fill(opensearch.model, a_document("1"))
        opensearch.call("DELETE", f"/{opensearch.prefix}-thing-000001")

        with pytest.raises(ReadModelError, match=r"000001 is gone.*rebuild thing"):
            opensearch.model.search("thing", SearchQuery())

    def test_others_read_by_the_name_of_the_entity(self, opensearch: OpenSearchIndices) -> None:
        fill(opensearch.model, a_document("1", name="Lindqvist"))
        switch_to(opensearch.model, another(opensearch.model))
        fill(opensearch.model, a_document("2", name="Acme"))

        found = opensearch.call("GET", f"/{opensearch.prefix}-thing/_search")["hits"]["hits"]

        assert [hit["_source"]["name"] for hit in found] == ["Acme"]


class TestDeaths:
    """Whatever the process that changes generations was doing when it died, the next one carries on."""

    @pytest.mark.parametrize("heal", ["generations", "search", "drop", "switch"])
    def test_between_the_list_and_the_aliases(
        self, opensearch: OpenSearchIndices, monkeypatch: pytest.MonkeyPatch, heal: str
    ) -> None:
        fill(opensearch.model, a_document("1"))
        made = another(opensearch.model)
        opensearch.model.save_many(made, [a_document("2")])
        with monkeypatch.context() as death:
            death.setattr(Aliases, "move", die)
            with pytest.raises(DiedError):
                switch_to(opensearch.model, made)

        survivor = opensearch.another()
        acts: dict[str, Callable[[], object]] = {
            "generations": lambda: survivor.generations("thing"),
            "search": lambda: find(survivor),
            "drop": lambda: survivor.drop("thing", 1),
            "switch": lambda: survivor.switch("thing", 2),
        }
        acts[heal]()

        assert opensearch.holders_of(f"{opensearch.prefix}-thing") == {f"{opensearch.prefix}-thing-000002"}
        assert find(opensearch.another()) == ["2"]
        assert find(opensearch.model) == ["2"]

    def test_before_the_first_index_was_listed(
        self, opensearch: OpenSearchIndices, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as death:
            death.setattr(Catalogue, "write", die)
            with pytest.raises(DiedError):
                serving(opensearch.model)

        assert serving(opensearch.another()).number == 1
        assert fill(opensearch.model, a_document()) == ["saved"]

    def test_what_an_older_schema_left_behind_is_not_used(
        self, opensearch: OpenSearchIndices, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as death:
            death.setattr(Catalogue, "write", die)
            with pytest.raises(DiedError):
                opensearch.model.ensure_serving(a_schema(without="term"), "m0", NOW)

        assert serving(opensearch.model).number == 2
        assert fill(opensearch.model, a_document(term=5)) == ["saved"]

    def test_before_a_new_generation_was_listed(
        self, opensearch: OpenSearchIndices, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        serving(opensearch.model)
        with monkeypatch.context() as death:
            death.setattr(Lifecycle, "_make_index", die)
            with pytest.raises(DiedError):
                another(opensearch.model)

        assert another(opensearch.model).number == 3
        assert [generation.number for generation in opensearch.model.generations("thing")] == [1, 3]

    def test_before_the_index_of_a_dropped_generation_was_deleted(
        self, opensearch: OpenSearchIndices, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        another(opensearch.model)
        with monkeypatch.context() as death:
            death.setattr(Lifecycle, "_delete_index", die)
            with pytest.raises(DiedError):
                opensearch.model.drop("thing", 2)
        assert len(opensearch.indices()) == 2

        opensearch.model.drop("thing", 2)

        assert opensearch.indices() == {f"{opensearch.prefix}-thing-000001"}


class TestRaces:
    def test_a_state_recorded_meanwhile_is_not_lost(
        self, opensearch: OpenSearchIndices, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Between the read and the write of the list a live change fails the generation: the switch must see it."""
        made, other = another(opensearch.model), opensearch.another()
        opensearch.model.set_state("thing", made.number, GenerationState.READY)
        write = Catalogue.write

        def overtaken(catalogue: Catalogue, entry: Entry) -> bool:
            monkeypatch.setattr(Catalogue, "write", write)
            other.set_state("thing", made.number, GenerationState.FAILED)
            return write(catalogue, entry)

        monkeypatch.setattr(Catalogue, "write", overtaken)

        with pytest.raises(UnknownGenerationError, match="not ready"):
            opensearch.model.switch("thing", made.number)
        assert find(opensearch.model) == []
        assert [generation.serves for generation in other.generations("thing")] == [True, False]

    def test_the_aliases_follow_a_list_that_went_on_meanwhile(
        self, opensearch: OpenSearchIndices, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A slow process moves the aliases to what served when it looked; it must look again."""
        fill(opensearch.model, a_document("1"))
        made, other = another(opensearch.model), opensearch.another()
        opensearch.model.save_many(made, [a_document("2")])
        move = Aliases.move

        def slow(aliases: Aliases, entry: Entry, *, take_over: bool = False) -> None:
            monkeypatch.setattr(Aliases, "move", move)
            other.switch("thing", 1)
            move(aliases, entry, take_over=take_over)

        opensearch.model.set_state("thing", 2, GenerationState.READY)
        monkeypatch.setattr(Aliases, "move", slow)
        opensearch.model.switch("thing", 2)

        assert [generation.serves for generation in other.generations("thing")] == [True, False]
        assert opensearch.holders_of(f"{opensearch.prefix}-thing") == {f"{opensearch.prefix}-thing-000001"}
        assert ids_of(opensearch.model.search("thing", SearchQuery())) == ["1"]


class TestTakingOver:
    """The system before this one has an index with the name that others read by."""

    @pytest.fixture
    def old(self, opensearch: OpenSearchIndices) -> str:
        name = f"{opensearch.prefix}-thing"
        opensearch.call("PUT", f"/{name}/_doc/1", {"name": "old"}, refresh="true")
        return name

    def test_unless_allowed_the_index_stays_and_the_service_works_beside_it(
        self, opensearch: OpenSearchIndices, old: str
    ) -> None:
        fill(opensearch.model, a_document("1", name="new"))
        switch_to(opensearch.model, another(opensearch.model))
        fill(opensearch.model, a_document("2", name="newer"))

        assert find(opensearch.model) == ["2"]
        assert opensearch.call("GET", f"/{old}/_doc/1")["_source"] == {"name": "old"}

    def test_a_switch_takes_the_name_and_deletes_the_index_in_one_step(
        self, opensearch: OpenSearchIndices, old: str
    ) -> None:
        model = opensearch.another(take_over=True)
        fill(model, a_document("1", name="new"))
        made = another(model)
        model.save_many(made, [a_document("2", name="newer")])

        switch_to(model, made)

        found = opensearch.call("GET", f"/{old}/_search")["hits"]["hits"]
        assert [hit["_source"]["name"] for hit in found] == ["newer"]
        assert opensearch.holders_of(old) == {f"{old}-000002"}

    def test_nothing_but_a_switch_takes_the_name(self, opensearch: OpenSearchIndices, old: str) -> None:
        """The first generation is empty; whoever reads by the name must not find that."""
        model = opensearch.another(take_over=True)
        fill(model, a_document("1", name="new"))
        another(model)
        model.generations("thing")
        model.provision()

        assert opensearch.call("GET", f"/{old}/_doc/1")["_source"] == {"name": "old"}
