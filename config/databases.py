"""Django's settings of a database: a function of its address."""

from pathlib import Path
from typing import Any

import environ

SQLITE_OPTIONS = {
    # Deferred transactions fail at once with "database is locked" when two writers meet; IMMEDIATE ones wait in line.
    "transaction_mode": "IMMEDIATE",
    "timeout": 30,
    # FULL: a 202 means stored, and stays stored when the power goes.
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536;",
}
# libpq's words: https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-PARAMKEYWORDS
_NETWORK_OPTIONS = {
    "connect_timeout": 5,
    # A server that vanished without a word is noticed within a minute, not after hours.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # milliseconds
}
_LOCK_SECONDS = 30
# A process that hangs inside a transaction keeps others from its rows; the server ends it.
_IDLE_IN_TRANSACTION_SECONDS = 60
_CONNECTION_SECONDS = 60


def database(url: str, data_dir: Path, *, statement_seconds: int, behind_pgbouncer: bool) -> dict[str, Any]:
    """Return the entry for ``DATABASES``; without an address it is SQLite in the data folder.

    ``statement_seconds`` is the longest that PostgreSQL works on one statement, 0 for no limit. A PgBouncer that pools
    by transaction takes no settings with a connection and keeps no cursor: give it those of the server's side itself.
    """
    if not url:
        # Not by address: a folder's name may hold characters that mean something in one.
        return _sqlite({"ENGINE": "django.db.backends.sqlite3", "NAME": str(data_dir / "crm.sqlite3")}, data_dir)
    parsed: dict[str, Any] = environ.Env.db_url_config(url)
    if parsed["ENGINE"].endswith("sqlite3"):
        return _sqlite(parsed, data_dir)
    options = {**_NETWORK_OPTIONS, **parsed.get("OPTIONS", {})}
    if not behind_pgbouncer:
        options.setdefault("options", _limits(statement_seconds))
    return {
        **parsed,
        "OPTIONS": options,
        "CONN_MAX_AGE": _CONNECTION_SECONDS,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": behind_pgbouncer,
    }


def _sqlite(parsed: dict[str, Any], data_dir: Path) -> dict[str, Any]:
    return {
        **parsed,
        "OPTIONS": {**SQLITE_OPTIONS},
        # Each thread keeps its connection: opening one, and checkpointing when the last one closes, cost more.
        "CONN_MAX_AGE": None,
        # A file, because a test that uses threads needs every thread to see the same database.
        "TEST": {"NAME": str(data_dir / "test.sqlite3")},
    }


def _limits(statement_seconds: int) -> str:
    seconds = {
        "statement_timeout": statement_seconds,
        "lock_timeout": _LOCK_SECONDS,
        "idle_in_transaction_session_timeout": _IDLE_IN_TRANSACTION_SECONDS,
    }
    return " ".join(f"-c {name}={value}s" for name, value in seconds.items())
