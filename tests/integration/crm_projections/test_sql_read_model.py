from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections, transaction
from django.test.utils import CaptureQueriesContext

from crm_projections.adapters.sql.models import GenerationRow
from crm_projections.adapters.sql.read_model import SQLReadModel
from crm_projections.adapters.sql.reading import DocumentReader
from crm_projections.ports.read_model import (
    Generation,
    GenerationState,
    ReadModel,
    ReadModelUnavailableError,
    SaveOutcome,
    SearchQuery,
    UnknownGenerationError,
)
from tests.contracts.documents import NOW, a_document, a_schema, fill, find, serving, sorts


@pytest.fixture
def model(sql_alias: str) -> SQLReadModel:
    return SQLReadModel(using=sql_alias)


class MeanwhileReadModel(SQLReadModel):
    """Lets something happen between finding a generation's tables and reading them, once."""

    meanwhile: Callable[[], None] | None = None

    def _reader(self, entity: str, number: int | None) -> DocumentReader | None:
        reader = super()._reader(entity, number)
        happens, self.meanwhile = self.meanwhile, None
        if happens:
            happens()
        return reader


@pytest.mark.django_db
class TestRefusals:
    @pytest.mark.parametrize(
        "unfit",
        [
            a_document("2", name="a\x00b"),
            a_document("2", tags=["a\x00"]),
            a_document("2\x00"),
            a_document("2", version=2**63),
            a_document("x" * 300),
            a_document("2", owner_id="x" * 300),
        ],
        ids=["nul", "nul in a list", "nul in the id", "version", "id", "reference"],
    )
    def test_what_no_database_takes_is_refused_alone(self, model: ReadModel, unfit: Any) -> None:
        fit = [a_document("1"), a_document("3", name="Third")]

        results = model.save_many(serving(model), [fit[0], unfit, fit[1]])

        assert [result.outcome for result in results] == [SaveOutcome.SAVED, SaveOutcome.REFUSED, SaveOutcome.SAVED]
        assert results[1].error.endswith("Correct the mapping.")
        assert find(model) == ["1", "3"]
        assert find(model, words=["third"]) == ["3"]

    def test_a_nul_where_nothing_is_compared_is_kept(self, model: ReadModel) -> None:
        assert fill(model, a_document(notes="a\x00b")) == [SaveOutcome.SAVED]
        assert model.get_many("thing", ["001A"])["001A"].decode()["notes"] == "a\x00b"

    def test_a_long_text_without_pattern_fits_every_index(self, model: ReadModel) -> None:
        # Nothing compresses it: an index row of PostgreSQL could not hold a third of it.
        text = "".join(chr(0x10000 + number * 7919 % 60_000) for number in range(10_000))

        assert fill(model, a_document(status=text, name=text)) == [SaveOutcome.SAVED]


@pytest.mark.django_db
class TestStatements:
    def test_a_search_asks_for_generation_count_and_page(self, model: ReadModel, sql_alias: str) -> None:
        fill(model, a_document("1", name="a"), a_document("2"))

        with CaptureQueriesContext(connections[sql_alias]) as queries:
            model.search("thing", SearchQuery(sort=sorts("-name", "term"), words=["a"]))

        assert len(queries) == 3

    def test_many_documents_cost_few_statements(self, model: ReadModel, sql_alias: str) -> None:
        generation = serving(model)
        documents = [a_document(f"{number:03d}", name=f"Ship {number}") for number in range(400)]

        with CaptureQueriesContext(connections[sql_alias]) as queries:
            model.save_many(generation, documents)

        assert len(queries) < 15

    def test_words_that_did_not_change_are_not_written(self, model: ReadModel, sql_alias: str) -> None:
        fill(model, a_document(name="Same", term=1))

        with CaptureQueriesContext(connections[sql_alias]) as queries:
            fill(model, a_document(version=2, name="Same", term=2))

        assert not any("DELETE" in query["sql"] or "(word, id)" in query["sql"] for query in queries)


@pytest.mark.django_db(transaction=True)
class TestGenerationsThatGo:
    def test_a_search_goes_on_in_the_generation_that_serves_by_then(self, sql_alias: str) -> None:
        model = MeanwhileReadModel(using=sql_alias)
        fill(model, a_document("1"))
        made = model.create_generation(a_schema(), "m2", NOW)
        model.save_many(made, [a_document("2")])
        model.set_state("thing", made.number, GenerationState.READY)
        model.meanwhile = lambda: _switch_and_drop(sql_alias)

        assert find(model) == ["2"]

    def test_a_scan_of_a_generation_dropped_meanwhile_says_so(self, sql_alias: str) -> None:
        model = MeanwhileReadModel(using=sql_alias)
        serving(model)
        made = model.create_generation(a_schema(), "m2", NOW)
        pages = model.scan("thing", made.number)
        model.meanwhile = lambda: SQLReadModel(using=sql_alias).drop("thing", made.number)

        with pytest.raises(UnknownGenerationError):
            next(pages)

    def test_a_failing_switch_leaves_the_old_one_serving(self, model: ReadModel, sql_alias: str) -> None:
        fill(model, a_document("1"))
        with pytest.raises(UnknownGenerationError), transaction.atomic(using=sql_alias):
            model.switch("thing", 7)

        assert find(model) == ["1"]

    def test_tables_left_by_a_flush_are_in_nobodys_way(self, model: ReadModel, sql_alias: str) -> None:
        fill(model, a_document("1"))
        key = GenerationRow.objects.using(sql_alias).get().pk
        GenerationRow.objects.using(sql_alias).all().delete()
        _reset_keys(sql_alias, key)

        assert serving(model).number == 1
        assert find(model) == []


def test_a_database_that_does_not_answer_is_unavailable(gone_alias: str) -> None:
    model = SQLReadModel(using=gone_alias)
    generation = Generation("thing", 1, a_schema().fields, "m1", GenerationState.READY, serves=True, created_at=NOW)

    for ask in (
        model.ping,
        lambda: model.save_many(generation, [a_document()]),
        lambda: model.generations("thing"),
        lambda: serving(model),
        lambda: model.create_generation(a_schema(), "m1", NOW),
        lambda: model.set_state("thing", 1, GenerationState.READY),
        lambda: model.switch("thing", 1),
        lambda: model.drop("thing", 1),
        lambda: model.get_many("thing", ["1"]),
        lambda: model.search("thing", SearchQuery()),
        lambda: model.scan("thing", 1),
        lambda: model.compare("thing", 1, 2),
        lambda: model.count_by_mapping("thing"),
    ):
        with pytest.raises(ReadModelUnavailableError):
            ask()


def _switch_and_drop(alias: str) -> None:
    model = SQLReadModel(using=alias)
    model.switch("thing", 2)
    model.drop("thing", 1)


def _reset_keys(alias: str, key: int) -> None:
    """Let the next generation have a key that was given before, as after a flush that resets sequences."""
    connection = connections[alias]
    table = GenerationRow._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("UPDATE sqlite_sequence SET seq = %s WHERE name = %s", [key - 1, table])
        else:
            cursor.execute(f"ALTER TABLE {table} ALTER COLUMN id RESTART WITH {key}")
