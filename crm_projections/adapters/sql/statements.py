"""Parts of SQL statements, and where SQLite and PostgreSQL differ."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

from django.db.backends.base.base import BaseDatabaseWrapper

T = TypeVar("T")
MAX_ROWS_PER_STATEMENT = 200
MAX_IDS_PER_STATEMENT = 500
_POSTGRES_MAX_PARAMETERS = 65_535


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of a statement with its parameters."""

    text: str
    parameters: tuple[Any, ...] = ()


TRUE, FALSE = Sql("1 = 1"), Sql("1 = 0")


def all_of(conditions: Sequence[Sql]) -> Sql:
    """Join conditions with AND."""
    return _join(conditions, " AND ") if conditions else TRUE


def any_of(conditions: Sequence[Sql]) -> Sql:
    """Join conditions with OR."""
    joined = _join(conditions, " OR ") if conditions else FALSE
    return Sql(f"({joined.text})", joined.parameters)


def _join(conditions: Sequence[Sql], word: str) -> Sql:
    parameters = tuple(parameter for condition in conditions for parameter in condition.parameters)
    return Sql(word.join(condition.text for condition in conditions), parameters)


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the two engines write differently.

    ``text`` is a text column that orders by code point, ``position`` the function that finds a text in a text (from 1,
    0 for nowhere). SQLite needs no row locks: its transactions that write are alone.
    """

    text: str
    position: str
    lock_rows: str = ""
    lock_key: str = ""
    clustered: str = ""


SQLITE = Dialect(text="text", position="instr", clustered=" WITHOUT ROWID")
POSTGRES = Dialect(text='text COLLATE "C"', position="strpos", lock_rows=" FOR UPDATE", lock_key=" FOR KEY SHARE")


def dialect_of(connection: BaseDatabaseWrapper) -> Dialect:
    """Return the dialect of a connection."""
    return POSTGRES if connection.vendor == "postgresql" else SQLITE


def rows_per_statement(connection: BaseDatabaseWrapper, columns: int) -> int:
    """Return how many rows of so many columns one INSERT may carry."""
    limit = _POSTGRES_MAX_PARAMETERS
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        limit = connection.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
    return max(1, min(MAX_ROWS_PER_STATEMENT, limit // columns))


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield the items in runs of at most ``size``."""
    return (items[start : start + size] for start in range(0, len(items), size))


def placeholders(count: int) -> str:
    """Return ``(%s, %s, ...)``."""
    return f"({', '.join(['%s'] * count)})"


def values(rows: Sequence[Sequence[Any]]) -> Sql:
    """Return the rows as the list that follows VALUES."""
    row = placeholders(len(rows[0]))
    return Sql(", ".join([row] * len(rows)), tuple(chain.from_iterable(rows)))
