"""The read model on SQLite and PostgreSQL."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

from django.db import DatabaseError, connections

from crm_mappings.schema import EntitySchema
from crm_projections.adapters.comparing import common_fields, compare_scans
from crm_projections.adapters.sql.availability import read_model_errors
from crm_projections.adapters.sql.lifecycle import Lifecycle
from crm_projections.adapters.sql.reading import DocumentReader
from crm_projections.adapters.sql.tables import find_tables
from crm_projections.adapters.sql.writing import DocumentWriter
from crm_projections.ports.read_model import (
    Comparison,
    Document,
    Generation,
    GenerationState,
    ReadModel,
    SaveResult,
    SearchQuery,
    SearchResult,
    StoredDocument,
    UnknownGenerationError,
)

T = TypeVar("T")


class SQLReadModel(ReadModel):
    """Keep each generation in tables of its own, with an index for every field that lists can be filtered by.

    ``using`` is the alias of a Django database, SQLite or PostgreSQL.
    """

    def __init__(self, using: str = "default") -> None:
        self._using = using
        self._lifecycle = Lifecycle(using)

    def generations(self, entity: str) -> list[Generation]:
        """Return the entity's generations by number."""
        with read_model_errors():
            return self._lifecycle.list(entity)

    def ensure_serving(self, schema: EntitySchema, mapping: str, now: datetime) -> Generation:
        """Return the serving generation, made if there is none."""
        with read_model_errors():
            return self._lifecycle.ensure_serving(schema, mapping, now)

    def create_generation(self, schema: EntitySchema, mapping: str, now: datetime) -> Generation:
        """Make an empty generation that is to be filled."""
        with read_model_errors():
            return self._lifecycle.create(schema, mapping, now)

    def set_state(self, entity: str, number: int, state: GenerationState) -> None:
        """Record where a generation stands."""
        with read_model_errors():
            self._lifecycle.set_state(entity, number, state)

    def switch(self, entity: str, number: int) -> None:
        """Let a ready generation serve."""
        with read_model_errors():
            self._lifecycle.switch(entity, number)

    def drop(self, entity: str, number: int) -> None:
        """Remove a generation that does not serve."""
        with read_model_errors():
            self._lifecycle.drop(entity, number)

    def save_many(self, generation: Generation, documents: Sequence[Document]) -> list[SaveResult]:
        """Write documents in one transaction, unless the database refuses one of them."""
        with read_model_errors():
            return DocumentWriter(connections[self._using], generation).save(documents)

    def get_many(self, entity: str, ids: Sequence[str], number: int | None = None) -> dict[str, StoredDocument]:
        """Return the documents there are."""
        return self._read(entity, number, lambda reader: reader.get_many(ids)) or {}

    def search(self, entity: str, query: SearchQuery) -> SearchResult:
        """Return a page from the serving generation."""
        nothing = SearchResult((), None, 0 if query.with_count else None)
        return self._read(entity, None, lambda reader: reader.search(query)) or nothing

    def scan(self, entity: str, number: int, page_size: int = 500) -> Iterator[Sequence[StoredDocument]]:
        """Yield all documents of a generation by id, one statement a page."""
        with read_model_errors():
            self._lifecycle.find(entity, number)
        return self._pages(entity, number, page_size)

    def compare(self, entity: str, first: int, second: int) -> Comparison:
        """Compare two generations document by document."""
        with read_model_errors():
            fields = common_fields(self._lifecycle.find(entity, first), self._lifecycle.find(entity, second))
        return compare_scans(self.scan(entity, first), self.scan(entity, second), fields)

    def count_by_mapping(self, entity: str) -> dict[str, int]:
        """Count the serving generation's documents by mapping."""
        return self._read(entity, None, lambda reader: reader.count_by_mapping()) or {}

    def refresh(self, entity: str) -> None:
        """Return: searches see what is committed."""

    def ping(self) -> None:
        """Ask the database for nothing much."""
        with read_model_errors(), connections[self._using].cursor() as cursor:
            cursor.execute("SELECT 1")

    def _pages(self, entity: str, number: int, page_size: int) -> Iterator[Sequence[StoredDocument]]:
        last_id = ""
        while page := self._page_after(entity, number, last_id, page_size):
            yield page
            last_id = page[-1].id

    def _page_after(self, entity: str, number: int, last_id: str, size: int) -> list[StoredDocument]:
        return self._read(entity, number, lambda reader: reader.page_after(last_id, size)) or []

    def _read(self, entity: str, number: int | None, run: Callable[[DocumentReader], T]) -> T | None:
        """Run on the serving or the numbered generation; ``None`` if none serves.

        Tables that went away meanwhile are no error: another generation serves by now, and is asked instead.
        """
        with read_model_errors():
            reader = self._reader(entity, number)
            try:
                return run(reader) if reader else None
            except DatabaseError:
                again = self._reader(entity, number)
                if again == reader:
                    raise
                return run(again) if again else None

    def _reader(self, entity: str, number: int | None) -> DocumentReader | None:
        connection = connections[self._using]
        tables = find_tables(connection, entity, number)
        if tables is None and number is not None:
            raise UnknownGenerationError(entity, number)
        return DocumentReader(connection, tables) if tables else None
