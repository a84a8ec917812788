from pathlib import Path
from typing import Any

from config.databases import database

POSTGRES = "postgres://crm:secret@db.example.org:5432/crm"
DATA = Path("/data")


def settings_of(url: str, *, statement_seconds: int = 300, behind_pgbouncer: bool = False) -> dict[str, Any]:
    return database(url, DATA, statement_seconds=statement_seconds, behind_pgbouncer=behind_pgbouncer)


def test_without_an_address_is_a_file_in_the_data_folder() -> None:
    assert settings_of("")["NAME"] == "/data/crm.sqlite3"


def test_writers_of_sqlite_wait_in_line() -> None:
    assert settings_of("sqlite:////tmp/other.sqlite3")["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_bounds_what_postgresql_may_work_and_wait() -> None:
    limits = settings_of(POSTGRES, statement_seconds=7)["OPTIONS"]["options"]
    assert "statement_timeout=7s" in limits
    assert "lock_timeout=30s" in limits
    assert "idle_in_transaction_session_timeout=60s" in limits


def test_keeps_the_options_of_the_address() -> None:
    assert settings_of(f"{POSTGRES}?sslmode=require")["OPTIONS"]["sslmode"] == "require"


def test_asks_nothing_of_a_pgbouncer_that_it_cannot_do() -> None:
    behind = settings_of(POSTGRES, behind_pgbouncer=True)
    assert "options" not in behind["OPTIONS"]
    assert behind["DISABLE_SERVER_SIDE_CURSORS"] is True
