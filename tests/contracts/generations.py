"""What every read model must do with generations."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest
from django.db import connections

from crm_projections.ports.read_model import (
    Generation,
    GenerationState,
    Operator,
    ReadModel,
    SearchQuery,
    UnknownGenerationError,
)
from tests.contracts.documents import NOW, a_document, a_schema, fill, find, ids_of, serving, sorts

READY = GenerationState.READY


def another(model: ReadModel, without: str = "", mapping: str = "m2") -> Generation:
    """Make a second generation beside the serving one."""
    serving(model)
    return model.create_generation(a_schema(without=without), mapping, NOW)


def switch_to(model: ReadModel, generation: Generation) -> None:
    model.set_state(generation.entity, generation.number, READY)
    model.switch(generation.entity, generation.number)


def in_threads(count: int, work: Any) -> list[Any]:
    """Run the work in threads that begin together; each gives its connections back."""
    barrier = Barrier(count)

    def run(number: int) -> Any:
        try:
            barrier.wait(30)
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


class GenerationContract:
    def test_the_first_generation_serves_at_once(self, model: ReadModel) -> None:
        made = serving(model)

        assert made == Generation("thing", 1, a_schema().fields, "m1", READY, serves=True, created_at=NOW)
        assert model.generations("thing") == [made]

    def test_the_serving_generation_is_made_once(self, model: ReadModel) -> None:
        serving(model)

        later = model.ensure_serving(a_schema(without="term"), "m2", datetime(2027, 1, 1, tzinfo=UTC))

        assert (later.number, later.mapping, len(model.generations("thing"))) == (1, "m1", 1)

    def test_a_new_generation_waits_to_be_filled(self, model: ReadModel) -> None:
        made = another(model)

        assert (made.number, made.state, made.serves) == (2, GenerationState.FILLING, False)
        assert [generation.serves for generation in model.generations("thing")] == [True, False]

    def test_generations_hold_documents_of_their_own(self, model: ReadModel) -> None:
        fill(model, a_document("1"))
        model.save_many(another(model), [a_document("2")])

        assert find(model) == ["1"]
        assert list(model.get_many("thing", ["1", "2"], number=2)) == ["2"]

    def test_a_switch_shows_the_other_generation(self, model: ReadModel) -> None:
        fill(model, a_document("1"))
        made = another(model)
        model.save_many(made, [a_document("2", mapping="m2")])
        switch_to(model, made)

        assert find(model) == ["2"]
        assert model.count_by_mapping("thing") == {"m2": 1}
        assert [generation.serves for generation in model.generations("thing")] == [False, True]

    def test_a_switch_shows_what_was_saved_just_before(self, model: ReadModel) -> None:
        made = another(model)
        model.set_state("thing", made.number, READY)
        model.save_many(made, [a_document("2")])
        model.switch("thing", made.number)

        assert find(model) == ["2"]

    def test_a_switch_can_be_taken_back(self, model: ReadModel) -> None:
        fill(model, a_document("1"))
        switch_to(model, another(model))
        model.switch("thing", 1)

        assert find(model) == ["1"]

    def test_only_a_ready_generation_can_serve(self, model: ReadModel) -> None:
        another(model)

        with pytest.raises(UnknownGenerationError, match="not ready"):
            model.switch("thing", 2)
        assert [generation.serves for generation in model.generations("thing")] == [True, False]

    def test_a_state_is_remembered(self, model: ReadModel) -> None:
        another(model)
        model.set_state("thing", 2, GenerationState.FAILED)

        assert model.generations("thing")[1].state is GenerationState.FAILED

    def test_a_failed_generation_stays_failed(self, model: ReadModel) -> None:
        another(model)
        model.set_state("thing", 2, GenerationState.FAILED)
        model.set_state("thing", 2, READY)

        assert model.generations("thing")[1].state is GenerationState.FAILED
        with pytest.raises(UnknownGenerationError, match="not ready"):
            model.switch("thing", 2)

    def test_the_serving_generation_does_not_fail(self, model: ReadModel) -> None:
        serving(model)

        with pytest.raises(UnknownGenerationError, match="serves"):
            model.set_state("thing", 1, GenerationState.FAILED)
        assert model.generations("thing")[0].state is READY

    def test_a_dropped_generation_is_gone(self, model: ReadModel) -> None:
        another(model)
        model.drop("thing", 2)
        model.drop("thing", 2)

        assert [generation.number for generation in model.generations("thing")] == [1]

    def test_the_serving_generation_is_not_dropped(self, model: ReadModel) -> None:
        fill(model, a_document("1"))

        with pytest.raises(UnknownGenerationError, match="serves"):
            model.drop("thing", 1)
        assert find(model) == ["1"]

    def test_nothing_is_saved_into_a_dropped_generation(self, model: ReadModel) -> None:
        dropped = another(model)
        model.drop("thing", 2)

        with pytest.raises(UnknownGenerationError):
            model.save_many(dropped, [a_document()])

    def test_a_number_is_not_given_twice(self, model: ReadModel) -> None:
        another(model)
        model.drop("thing", 2)

        assert another(model).number == 3

    def test_what_does_not_exist_is_unknown(self, model: ReadModel) -> None:
        serving(model)
        for ask in (
            lambda: model.set_state("thing", 9, READY),
            lambda: model.switch("thing", 9),
            lambda: model.scan("thing", 9),
            lambda: model.compare("thing", 1, 9),
            lambda: model.get_many("thing", ["1"], number=9),
        ):
            with pytest.raises(UnknownGenerationError):
                ask()

    def test_a_generation_without_a_newer_field_keeps_taking_live_writes(self, model: ReadModel) -> None:
        old = another(model, without="term")
        model.save_many(old, [a_document("1", term=5, name="x"), a_document("2", name="y")])
        switch_to(model, old)

        assert "term" not in model.get_many("thing", ["1"])["1"].decode()
        assert find(model, ("term", Operator.EQ, 5)) == []
        assert find(model, ("term", Operator.NE, 5)) == ["1", "2"]
        assert find(model, ("term", Operator.ISNULL, True)) == ["1", "2"]

    @pytest.mark.parametrize("sort", ["term", "-term"])
    def test_a_walk_goes_on_in_a_generation_without_the_field_it_is_sorted_by(
        self, model: ReadModel, sort: str
    ) -> None:
        documents = [a_document("1", term=5), a_document("2", term=6), a_document("3")]
        fill(model, *documents)
        first = model.search("thing", SearchQuery(sort=sorts(sort), limit=1))
        old = another(model, without="term")
        model.save_many(old, documents)
        switch_to(model, old)

        rest = model.search("thing", SearchQuery(sort=sorts(sort), after=first.next_position))

        # All are null there, so all stand behind the position; none is lost.
        assert ids_of(rest) == ["1", "2", "3"]

    def test_scans_all_documents_by_id_in_pages(self, model: ReadModel) -> None:
        fill(model, a_document("b"), a_document("C", deleted=True), a_document("a"))

        pages = list(model.scan("thing", 1, page_size=2))

        assert [[document.id for document in page] for page in pages] == [["C", "a"], ["b"]]

    def test_compares_documents_by_value(self, model: ReadModel) -> None:
        fill(model, *(a_document(id_, name=id_) for id_ in "abcd"))
        second = another(model, without="term")
        changed = a_document("b", name="other")
        model.save_many(
            second,
            [
                a_document("a", version=9, mapping="m2", name="a"),
                changed,
                a_document("c", name="c", deleted=True),
                a_document("e"),
            ],
        )

        found = model.compare("thing", 1, 2)

        assert (found.same, found.different, found.only_in_first, found.only_in_second) == (1, 2, 1, 1)
        assert found.examples == {"different": ["b", "c"], "only_in_first": ["d"], "only_in_second": ["e"]}

    def test_fields_that_only_one_has_do_not_make_a_difference(self, model: ReadModel) -> None:
        fill(model, a_document("a", term=5))
        model.save_many(another(model, without="term"), [a_document("a", term=5)])

        assert model.compare("thing", 1, 2).same == 1


class RaceContract:
    def test_whoever_races_to_make_the_serving_generation_gets_the_same(self, model: ReadModel) -> None:
        made = in_threads(4, lambda _: serving(model))

        assert {generation.number for generation in made} == {1}
        assert len(model.generations("thing")) == 1

    def test_a_generation_never_fails_and_serves(self, model: ReadModel) -> None:
        """Whoever comes second is told: either the switch meets a failed one, or the failure one that serves."""
        serving(model)
        model.set_state("thing", model.create_generation(a_schema(), "m2", NOW).number, READY)

        def act(thread: int) -> bool:
            try:
                if thread:
                    model.set_state("thing", 2, GenerationState.FAILED)
                else:
                    model.switch("thing", 2)
            except UnknownGenerationError:
                return False
            return True

        assert sorted(in_threads(2, act)) == [False, True]
        assert [(one.serves, one.state) for one in model.generations("thing")][1] in [
            (True, READY),
            (False, GenerationState.FAILED),
        ]

    def test_generations_made_at_once_have_numbers_of_their_own(self, model: ReadModel) -> None:
        made = in_threads(4, lambda _: model.create_generation(a_schema(), "m1", NOW))

        assert sorted(generation.number for generation in made) == [1, 2, 3, 4]

    def test_the_newest_version_wins_whoever_is_last(self, model: ReadModel) -> None:
        ids = [f"{number:02d}" for number in range(20)]
        generation = serving(model)

        def save(thread: int) -> None:
            for version in range(1 + thread, 81, 4):
                order = ids if thread % 2 else ids[::-1]
                name = "even" if version % 2 == 0 else "odd"
                model.save_many(generation, [a_document(id_, version=version, name=name) for id_ in order])

        in_threads(4, save)
        model.refresh("thing")

        assert {document.version for document in model.get_many("thing", ids).values()} == {80}
        assert find(model, words=["even"]) == ids
        assert find(model, words=["odd"]) == []

    def test_readers_never_miss_while_generations_come_and_go(self, model: ReadModel) -> None:
        fill(model, a_document("1"))

        def work(thread: int) -> list[list[str]]:
            return [find(model) for _ in range(60)] if thread else [_replace_generation(model) for _ in range(8)]

        _, *read = in_threads(3, work)

        assert all(ids == ["1"] for reader in read for ids in reader)


def _replace_generation(model: ReadModel) -> list[str]:
    old = next(generation for generation in model.generations("thing") if generation.serves)
    made = model.create_generation(a_schema(), "m1", NOW)
    model.save_many(made, [a_document("1")])
    switch_to(model, made)
    model.drop("thing", old.number)
    return []
