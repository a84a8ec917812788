"""How documents get into a generation's tables: a few statements for many, versions decide, words follow."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DataError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from crm_projections.adapters.refusals import UnfitDocumentError
from crm_projections.adapters.sql.layout import META_COLUMNS, layout_of
from crm_projections.adapters.sql.statements import (
    MAX_IDS_PER_STATEMENT,
    chunks,
    dialect_of,
    placeholders,
    rows_per_statement,
    values,
)
from crm_projections.adapters.sql.tables import Tables, find_tables
from crm_projections.ports.read_model import (
    Document,
    Generation,
    SaveOutcome,
    SaveResult,
    UnknownGenerationError,
)

Row = tuple[Any, ...]
_WORDS = META_COLUMNS.index("words")


@dataclass(frozen=True, slots=True)
class DocumentWriter:
    """Write documents into one generation."""

    connection: BaseDatabaseWrapper
    generation: Generation

    def save(self, documents: Sequence[Document]) -> list[SaveResult]:
        """Write what is not older than what is there, and say what became of each document, in order.

        :raises UnknownGenerationError: the generation was dropped.
        """
        results: dict[str, SaveResult] = {}
        rows: list[Row] = []
        layout = layout_of(self.generation.fields)
        for document in documents:
            try:
                rows.append(layout.row(document))
            except UnfitDocumentError as error:
                results[document.id] = SaveResult(document.id, SaveOutcome.REFUSED, str(error))
        # One order for all writers: two that meet wait for one another instead of both dying of a deadlock.
        results |= self._write(sorted(rows))
        return [results[document.id] for document in documents]

    def _write(self, rows: list[Row]) -> dict[str, SaveResult]:
        try:
            saved = self._write_together(rows)
        except (DataError, OverflowError) as error:
            if len(rows) == 1:
                reason = str(error).partition("\n")[0]
                refusal = f"The database refuses the document: {reason}. Correct the mapping."
                return {rows[0][0]: SaveResult(rows[0][0], SaveOutcome.REFUSED, refusal)}
            # Which of them it was the database does not say; alone, each speaks for itself.
            return {id_: result for row in rows for id_, result in self._write([row]).items()}
        return {row[0]: SaveResult(row[0], SaveOutcome.SAVED if row[0] in saved else SaveOutcome.STALE) for row in rows}

    def _write_together(self, rows: Sequence[Row]) -> set[str]:
        with transaction.atomic(using=self.connection.alias):
            tables = self._lock_generation()
            known = self._lock_documents(tables, [row[0] for row in rows])
            saved = self._upsert(tables, rows)
            self._replace_words(tables, [row for row in rows if row[0] in saved and row[_WORDS] != known.get(row[0])])
        return saved

    def _lock_generation(self) -> Tables:
        """Keep the generation from being dropped until this transaction ends; switching it stays possible."""
        lock = dialect_of(self.connection).lock_key
        tables = find_tables(self.connection, self.generation.entity, self.generation.number, lock)
        if tables is None:
            raise UnknownGenerationError(self.generation.entity, self.generation.number)
        return tables

    def _lock_documents(self, tables: Tables, ids: Sequence[str]) -> dict[str, str]:
        """Lock the documents there are and return their words."""
        known: dict[str, str] = {}
        lock = dialect_of(self.connection).lock_rows
        with self.connection.cursor() as cursor:
            for part in chunks(ids, MAX_IDS_PER_STATEMENT):
                cursor.execute(
                    f"SELECT id, words FROM {tables.documents} WHERE id IN {placeholders(len(part))} ORDER BY id{lock}",
                    part,
                )
                known.update(cursor.fetchall())
        return known

    def _upsert(self, tables: Tables, rows: Sequence[Row]) -> set[str]:
        columns = tables.layout.columns
        updates = ", ".join(f"{name} = excluded.{name}" for name in columns if name != "id")
        saved: set[str] = set()
        with self.connection.cursor() as cursor:
            for part in chunks(rows, rows_per_statement(self.connection, len(columns))):
                listed = values(part)
                cursor.execute(
                    f"INSERT INTO {tables.documents} ({', '.join(columns)}) VALUES {listed.text} "
                    f"ON CONFLICT (id) DO UPDATE SET {updates} "
                    f"WHERE excluded.version >= {tables.documents}.version RETURNING id",
                    listed.parameters,
                )
                saved.update(id_ for (id_,) in cursor.fetchall())
        return saved

    def _replace_words(self, tables: Tables, rows: Sequence[Row]) -> None:
        """Write the words of documents whose words changed, or that were not there when the others were locked.

        For these another writer may just have written words of an older version, so they are removed all the same.
        """
        with self.connection.cursor() as cursor:
            for part in chunks([row[0] for row in rows], MAX_IDS_PER_STATEMENT):
                cursor.execute(f"DELETE FROM {tables.words} WHERE id IN {placeholders(len(part))}", part)
            if pairs := list(_word_rows(rows)):
                cursor.executemany(f"INSERT INTO {tables.words} (word, id) VALUES (%s, %s)", pairs)


def _word_rows(rows: Iterable[Row]) -> Iterable[tuple[str, str]]:
    return ((word, row[0]) for row in rows for word in row[_WORDS].split())
