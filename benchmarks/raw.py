"""The yardstick of the pipeline: the very rows it wrote, written again by bare ``executemany``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction


@dataclass(frozen=True, slots=True)
class TableRows:
    """All rows of one table."""

    table: str
    columns: Sequence[str]
    rows: Sequence[tuple[Any, ...]]


def written_tables() -> list[str]:
    """Return the tables that the pipeline has written to."""
    names = [name for name in connection.introspection.table_names() if name.startswith("crm_")]
    with connection.cursor() as cursor:
        return [name for name in names if _has_rows(cursor, name)]


def _has_rows(cursor: Any, table: str) -> bool:
    cursor.execute(f"SELECT 1 FROM {table} LIMIT 1")  # noqa: S608  # a name from the database itself
    return cursor.fetchone() is not None


def read_rows(tables: Sequence[str]) -> list[TableRows]:
    """Return every row of the tables."""
    found = []
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608  # as above
            found.append(TableRows(table, [column[0] for column in cursor.description], cursor.fetchall()))
    return found


def empty(tables: Sequence[str]) -> None:
    """Remove every row; the tables and their indexes stay."""
    with transaction.atomic(), connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608  # as above


def write_rows(tables: Sequence[TableRows]) -> None:
    """Write everything back, one ``executemany`` and one transaction for each table: the best the engine can do."""
    for part in tables:
        marks = ", ".join(["%s"] * len(part.columns))
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {part.table} ({', '.join(part.columns)}) VALUES ({marks})", part.rows)  # noqa: S608
