"""What every read model must do with documents, order and pages; a new adapter is done when it passes."""

from typing import Any

import pytest

from crm_projections.ports.read_model import (
    EXACT_COUNT_LIMIT,
    InvalidPositionError,
    Operator,
    ReadModel,
    SaveOutcome,
    SearchQuery,
)
from tests.contracts.documents import (
    a_column,
    a_document,
    a_schema,
    fill,
    find,
    ids_of,
    serving,
    sorted_ids,
    sorts,
)

SAVED, STALE, REFUSED = SaveOutcome.SAVED, SaveOutcome.STALE, SaveOutcome.REFUSED


class SavingContract:
    def test_answers(self, model: ReadModel) -> None:
        model.ping()

    def test_returns_a_document_as_it_was_saved(self, model: ReadModel) -> None:
        document = a_document(name="Lindqvist", amount="10.50", tags=["A", "B"], notes="x", term=3, won=True)
        fill(model, document)

        found = model.get_many("thing", ["001A", "unknown"])["001A"]

        assert (found.id, found.version, found.is_deleted) == ("001A", 1, False)
        assert found.body == document.to_json(a_schema().fields)

    @pytest.mark.parametrize(("second", "outcome", "name"), [(1, STALE, "old"), (2, SAVED, "new"), (3, SAVED, "new")])
    def test_only_older_versions_are_stale(
        self, model: ReadModel, second: int, outcome: SaveOutcome, name: str
    ) -> None:
        fill(model, a_document(version=2, name="old"))

        assert fill(model, a_document(version=second, name="new")) == [outcome]
        assert model.get_many("thing", ["001A"])["001A"].decode()["name"] == name
        assert find(model, ("name", Operator.EQ, name), words=[name]) == ["001A"]

    def test_answers_for_each_document_in_the_order_given(self, model: ReadModel) -> None:
        fill(model, a_document("2", version=5))

        assert fill(model, a_document("3"), a_document("2"), a_document("1")) == [SAVED, STALE, SAVED]

    def test_takes_many_documents_in_a_call(self, model: ReadModel) -> None:
        fill(model, *(a_document(f"{number:04d}", name=f"Ship {number}") for number in range(1200)))

        assert find(model, words=["ship", "1199"]) == ["1199"]
        assert len(model.get_many("thing", [f"{number:04d}" for number in range(1200)])) == 1200

    def test_takes_no_documents_in_a_call(self, model: ReadModel) -> None:
        assert model.save_many(serving(model), []) == []
        assert model.get_many("thing", []) == {}

    @pytest.mark.parametrize(
        "values",
        [
            {"term": 2**70},
            {"term": 2**63},
            {"term": "five"},
            {"amount": "ten"},
            {"name": "\ud800"},
            {"tags": "A;B"},
            {"won": "yes"},
        ],
        ids=repr,
    )
    def test_refuses_a_document_it_cannot_take_alone(self, model: ReadModel, values: dict[str, Any]) -> None:
        unfit, fit = a_document("1", **values), a_document("2")

        results = model.save_many(serving(model), [unfit, fit])

        assert [result.outcome for result in results] == [REFUSED, SAVED]
        assert results[0].error
        assert sorted(model.get_many("thing", ["1", "2"])) == ["2"]

    def test_a_tombstone_is_kept_and_in_no_list(self, model: ReadModel) -> None:
        fill(model, a_document("1", name="Gone"), a_document("2", name="Here"))
        fill(model, a_document("1", version=2, deleted=True, name="Gone"))

        assert find(model) == ["2"]
        assert find(model, words=["gone"]) == []
        assert model.get_many("thing", ["1"])["1"].is_deleted

    def test_tombstones_are_shown_to_those_who_ask(self, model: ReadModel) -> None:
        fill(model, a_document("1", deleted=True, name="Gone"), a_document("2"))

        assert ids_of(model.search("thing", SearchQuery(include_deleted=True))) == ["1", "2"]

    def test_a_record_comes_back_from_its_tombstone(self, model: ReadModel) -> None:
        fill(model, a_document("1", deleted=True))
        fill(model, a_document("1", version=2))

        assert find(model) == ["1"]

    def test_counts_documents_by_the_mapping_that_made_them(self, model: ReadModel) -> None:
        fill(model, a_document("1"), a_document("2", deleted=True), a_document("3", mapping="m2"))

        assert model.count_by_mapping("thing") == {"m1": 2, "m2": 1}

    def test_an_entity_nobody_saved_has_nothing(self, model: ReadModel) -> None:
        result = model.search("unknown", SearchQuery())

        assert (list(result.documents), result.count, result.next_position) == ([], 0, None)
        assert model.get_many("unknown", ["1"]) == {}
        assert model.count_by_mapping("unknown") == {}

    def test_entities_do_not_see_one_another(self, model: ReadModel) -> None:
        fill(model, a_document("1"))
        fill(model, a_document("2"), entity="other")

        assert find(model) == ["1"]
        assert find(model, entity="other") == ["2"]


class SortContract:
    @pytest.mark.parametrize(
        ("field", "values", "ids"),
        [
            ("name", ["b", "A", "a", "B"], "2314"),
            ("name", ["É", "z", "ß", "e", "😀", "\uffff", "Z"], "4273165"),
            ("amount", ["10", "9.5", "-1", "-10", "0", "1000000000000", "0.001"], "4357216"),
            ("term", [10, 9, -1], "321"),
            ("won", [True, False], "21"),
            ("owner_id", ["b", "B", "a"], "231"),
            ("close_date", ["2026-10-06", "2025-12-31"], "21"),
            ("seen_at", ["2026-10-06T07:20:09.123Z", "2026-10-06T07:20:09.122Z"], "21"),
            ("status", ["x" * 500 + "b", "x" * 500 + "a", "X" * 400, "x" * 399 + "w", "y"], "43215"),
        ],
    )
    def test_sorts_by_kind(self, model: ReadModel, field: str, values: list[Any], ids: str) -> None:
        fill(model, *a_column(field, *values))

        assert "".join(sorted_ids(model, field)) == ids

    def test_nulls_are_last_in_either_direction(self, model: ReadModel) -> None:
        fill(model, *a_column("name", None, "a", None, "b"))

        assert sorted_ids(model, "name") == ["2", "4", "1", "3"]
        assert sorted_ids(model, "-name") == ["4", "2", "1", "3"]

    def test_ids_break_ties_ascending(self, model: ReadModel) -> None:
        fill(model, *a_column("name", "x", "X", "x"))

        assert sorted_ids(model, "-name") == ["1", "2", "3"]

    def test_directions_mix(self, model: ReadModel) -> None:
        rows = [("a", 1), ("a", 2), ("b", None), ("b", 5), (None, 3), (None, 4)]
        fill(model, *(a_document(str(n), name=name, term=term) for n, (name, term) in enumerate(rows, 1)))

        assert sorted_ids(model, "name", "-term") == ["2", "1", "4", "3", "6", "5"]
        assert sorted_ids(model, "-name", "term") == ["4", "3", "1", "2", "5", "6"]

    def test_sorts_by_id(self, model: ReadModel) -> None:
        fill(model, a_document("b"), a_document("B"), a_document("a"))

        assert sorted_ids(model) == ["B", "a", "b"]
        assert sorted_ids(model, "-id") == ["b", "a", "B"]

    def test_a_field_without_an_order_leaves_the_order_of_ids(self, model: ReadModel) -> None:
        fill(model, *a_column("notes", "b", "a"))

        assert sorted_ids(model, "notes", "tags", "unknown") == ["1", "2"]


class PageContract:
    @pytest.mark.parametrize(
        "sort",
        [
            (),
            ("status",),
            ("-status",),
            ("-status", "term"),
            ("-id",),
            ("unknown",),
            ("won", "-amount"),
            ("-term",),
            ("-won",),
        ],
    )
    @pytest.mark.parametrize("size", [1, 3, 7])
    def test_a_walk_meets_every_document_once_and_in_order(
        self, model: ReadModel, sort: tuple[str, ...], size: int
    ) -> None:
        statuses = ["a", "B", None, "a", *("y" * 450 + end for end in "dacb"), None, "b", "a"]
        fill(
            model,
            *(
                a_document(str(n), status=status, term=n % 3 or None, won=n % 2 == 0, amount=f"{n % 4}")
                for n, status in enumerate(statuses, 1)
            ),
        )

        assert walk(model, size, *sort) == sorted_ids(model, *sort)

    @pytest.mark.parametrize("sort", ["name", "-name"])
    def test_a_walk_meets_the_unchanged_once_whatever_is_written_meanwhile(self, model: ReadModel, sort: str) -> None:
        unchanged = [f"{n:02d}" for n in range(0, 40, 2)]
        fill(model, *(a_document(id_, name=f"n{int(id_) % 5}" if int(id_) % 3 else None) for id_ in unchanged))

        seen, after = [], None
        for step in range(50):
            result = model.search("thing", SearchQuery(sort=sorts(sort), limit=3, after=after))
            seen += ids_of(result)
            fill(model, a_document(f"{step * 2 + 1:02d}", name=f"n{step % 6}" if step % 4 else None))
            if (after := result.next_position) is None:
                break

        assert sorted(id_ for id_ in seen if id_ in unchanged) == unchanged

    def test_pages_by_offset(self, model: ReadModel) -> None:
        fill(model, *a_column("name", "e", "d", None, "b", "a"))

        pages = [
            model.search("thing", SearchQuery(sort=sorts("-name"), limit=2, offset=offset)) for offset in (0, 2, 4, 6)
        ]

        assert [ids_of(page) for page in pages] == [["1", "2"], ["4", "5"], ["3"], []]
        assert [page.next_position is None for page in pages] == [False, False, True, True]

    def test_counts_what_matches_not_what_is_shown(self, model: ReadModel) -> None:
        fill(model, *a_column("name", "a", "a", "b", "a"))

        result = model.search("thing", SearchQuery(filters=[], limit=1, offset=2))

        assert (result.count, result.count_is_lower_bound) == (4, False)

    def test_does_not_count_unasked(self, model: ReadModel) -> None:
        fill(model, a_document())

        assert model.search("thing", SearchQuery(with_count=False)).count is None

    def test_counts_beyond_the_limit_are_a_lower_bound(self, model: ReadModel) -> None:
        fill(model, *(a_document(f"{number:05d}") for number in range(EXACT_COUNT_LIMIT)))
        exact = model.search("thing", SearchQuery(limit=1))
        fill(model, a_document("x"))
        beyond = model.search("thing", SearchQuery(limit=1))

        assert (exact.count, exact.count_is_lower_bound) == (EXACT_COUNT_LIMIT, False)
        assert (beyond.count, beyond.count_is_lower_bound) == (EXACT_COUNT_LIMIT, True)

    @pytest.mark.parametrize("position", [[], ["x"], ["x", 1, "1"], [1, "1"], [True, "1"], ["x", 5]])
    def test_a_position_of_another_order_is_refused(self, model: ReadModel, position: list[Any]) -> None:
        fill(model, a_document())

        with pytest.raises(InvalidPositionError, match="position"):
            model.search("thing", SearchQuery(sort=sorts("name"), after=position))


def walk(model: ReadModel, size: int, *sort: str) -> list[str]:
    """Return all ids as a walk by cursor meets them."""
    seen: list[str] = []
    after = None
    while True:
        result = model.search("thing", SearchQuery(sort=sorts(*sort), limit=size, after=after, with_count=False))
        seen += ids_of(result)
        assert len(seen) == len(set(seen)), "the walk came back to where it was"
        if (after := result.next_position) is None:
            return seen
