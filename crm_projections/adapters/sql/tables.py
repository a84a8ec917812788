"""The two tables of each generation, documents and their words: found, made and removed."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from django.db.backends.base.base import BaseDatabaseWrapper

from crm_mappings.schema import FieldKind, FieldSpec
from crm_projections.adapters.sql.layout import Layout, layout_of
from crm_projections.adapters.sql.models import GenerationRow
from crm_projections.adapters.sql.statements import Dialect, dialect_of

_GENERATIONS = GenerationRow._meta.db_table  # noqa: SLF001  # Django's documented way to a model's table


@dataclass(frozen=True, slots=True)
class Tables:
    """Where a generation's documents are."""

    key: int
    number: int
    layout: Layout

    @property
    def documents(self) -> str:
        """Return the name of the table with a row for each document."""
        return f"crm_projections_sql_documents_{self.key}"

    @property
    def words(self) -> str:
        """Return the name of the table with a row for each word of each document."""
        return f"crm_projections_sql_words_{self.key}"


def find_tables(
    connection: BaseDatabaseWrapper, entity: str, number: int | None = None, lock: str = ""
) -> Tables | None:
    """Return the tables of the serving or the numbered generation; one small query, never from a cache."""
    which = "serves" if number is None else "number = %s"
    parameters: list[str | int] = [entity] if number is None else [entity, number]
    sql = f"SELECT id, number, fields FROM {_GENERATIONS} WHERE entity = %s AND NOT dropped AND {which}{lock}"
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        row = cursor.fetchone()
    return Tables(row[0], row[1], layout_of(_fields_from(row[2]))) if row else None


def fields_to_json(fields: tuple[FieldSpec, ...]) -> list[list[Any]]:
    """Return fields as the generation's row keeps them."""
    return [[spec.name, spec.kind.value, spec.name_like] for spec in fields]


def fields_from_json(stored: list[list[Any]]) -> tuple[FieldSpec, ...]:
    """Return the fields that a generation's row keeps."""
    return tuple(FieldSpec(name, FieldKind(kind), name_like) for name, kind, name_like in stored)


def create_tables(connection: BaseDatabaseWrapper, tables: Tables) -> None:
    """Make the tables of a new generation within the caller's transaction."""
    # `flush` empties the list of generations and leaves their tables behind: keys, and so names, can come again.
    drop_tables(connection, tables)
    with connection.cursor() as cursor:
        for statement in _definitions(tables, dialect_of(connection)):
            cursor.execute(statement)


def drop_tables(connection: BaseDatabaseWrapper, tables: Tables) -> None:
    """Remove the tables of a generation."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {tables.documents}")
        cursor.execute(f"DROP TABLE IF EXISTS {tables.words}")


@lru_cache(maxsize=256)
def _fields_from(text: str) -> tuple[FieldSpec, ...]:
    return fields_from_json(orjson.loads(text))


def _definitions(tables: Tables, dialect: Dialect) -> list[str]:
    text, fields = dialect.text, tables.layout.by_name.values()
    columns = ", ".join(definition for item in fields for definition in item.definitions(dialect))
    # Lists are looked through, not looked up: their values have no order.
    indexed = [item.indexed for item in fields if not item.is_own and item.kind is not FieldKind.LIST]
    documents = (
        f"CREATE TABLE {tables.documents} (id {text} NOT NULL PRIMARY KEY, version bigint NOT NULL, "
        f"is_deleted smallint NOT NULL, mapping {text} NOT NULL, body text NOT NULL, words {text} NOT NULL"
        f"{', ' if columns else ''}{columns})"
    )
    words = f"CREATE TABLE {tables.words} (word {text} NOT NULL, id {text} NOT NULL, PRIMARY KEY (word, id))"
    return [
        documents,
        f"CREATE INDEX {tables.documents}_mapping ON {tables.documents} (mapping)",
        *(
            f"CREATE INDEX {tables.documents}_{number} ON {tables.documents} ({expression}, id)"
            for number, expression in enumerate(indexed)
        ),
        words + dialect.clustered,
        f"CREATE INDEX {tables.words}_id ON {tables.words} (id)",
    ]
