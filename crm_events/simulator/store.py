"""Where the org keeps its records: an SQLite file, so that a million rows take no memory and a restart finds them."""

import shutil
import sqlite3
import tempfile
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from crm_events.simulator.records import Record

# A row of records in the order of its columns.
_COLUMNS = "id, entity, fields, modified, is_deleted, deleted_at, deleted_in, hidden, parent"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    id TEXT NOT NULL, entity TEXT NOT NULL, fields TEXT NOT NULL, modified INTEGER NOT NULL,
    is_deleted INTEGER NOT NULL, deleted_at INTEGER, deleted_in TEXT NOT NULL, hidden INTEGER NOT NULL, parent TEXT
);
CREATE UNIQUE INDEX IF NOT EXISTS records_by_id ON records (entity, id);
CREATE INDEX IF NOT EXISTS records_by_time ON records (entity, modified, is_deleted, hidden);
CREATE INDEX IF NOT EXISTS records_by_parent ON records (parent) WHERE parent IS NOT NULL;
CREATE INDEX IF NOT EXISTS records_by_deletion ON records (entity, deleted_at) WHERE is_deleted;
CREATE INDEX IF NOT EXISTS records_deleted_together ON records (deleted_in) WHERE is_deleted;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
# Not REPLACE: a row that is changed keeps its place, so that whoever pages through them misses none.
_PUT = f"""
INSERT INTO records ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (entity, id) DO UPDATE SET fields = excluded.fields, modified = excluded.modified,
    is_deleted = excluded.is_deleted, deleted_at = excluded.deleted_at, deleted_in = excluded.deleted_in,
    hidden = excluded.hidden, parent = excluded.parent
"""  # noqa: S608
_SELECT = f"SELECT {_COLUMNS} FROM records"  # noqa: S608


class Store:
    """Records and facts in one database file; without a path, in a file that goes with the store.

    One thread writes at a time, any number read beside it.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or Path(tempfile.mkdtemp(prefix="simulated-org-")) / "org.sqlite3"
        if path is None:
            weakref.finalize(self, shutil.rmtree, self.path.parent, ignore_errors=True)
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._lock = threading.RLock()
        self._owner = 0
        self._writer = self.connect()
        self.prepare(_SCHEMA)

    def prepare(self, schema: str) -> None:
        """Make tables that are not there yet."""
        with self._lock:
            self._writer.executescript(schema)

    def connect(self) -> sqlite3.Connection:
        """Return a connection of its own, for whoever must keep a state of the data in sight."""
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=30)
        # A power cut may cost the last changes of an invented org, not its file.
        connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-32768;")
        self._opened.append(connection)
        return connection

    def disconnect(self, connection: sqlite3.Connection) -> None:
        """Close a connection that ``connect`` gave."""
        connection.close()
        self._opened.remove(connection)

    @property
    def reader(self) -> sqlite3.Connection:
        """Return this thread's connection."""
        if self._owner == threading.get_ident():
            return self._writer  # whoever writes sees what it wrote
        if not hasattr(self._local, "connection"):
            self._local.connection = self.connect()
        connection: sqlite3.Connection = self._local.connection
        return connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection that writes; all or nothing, and the whole of it for the outermost of several."""
        with self._lock:
            if self._owner:
                yield self._writer
                return
            self._owner = threading.get_ident()
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise
            finally:
                self._owner = 0

    def get(self, entity: str, ids: Iterable[str]) -> dict[str, Record]:
        """Return those of the records that there are, deleted ones included."""
        wanted = orjson.dumps(list(ids)).decode()
        condition = "entity = ? AND id IN (SELECT value FROM json_each(?))"
        return {record.id: record for record in self.find(condition, (entity, wanted))}

    def find(self, condition: str, parameters: Sequence[Any] = (), order: str = "") -> list[Record]:
        """Return the records that fit a condition, as many as fit in memory."""
        sql = f"{_SELECT} WHERE {condition}{' ORDER BY ' if order else ''}{order}"
        return [_record(row) for row in self.reader.execute(sql, parameters)]

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """Return the first column of the first row."""
        row = self.reader.execute(sql, parameters).fetchone()
        return row[0] if row else None

    def put(self, records: Iterable[Record]) -> None:
        """Write records over what they were."""
        with self.writing() as connection:
            connection.executemany(_PUT, map(_row, records))

    def purge(self, entity: str, ids: Iterable[str]) -> None:
        """Remove records for good."""
        with self.writing() as connection:
            connection.executemany("DELETE FROM records WHERE entity = ? AND id = ?", ((entity, one) for one in ids))

    def fact(self, name: str, default: Any = None) -> Any:
        """Return something the org remembers beside its records."""
        text = self.value("SELECT value FROM facts WHERE name = ?", (name,))
        return default if text is None else orjson.loads(text)

    def remember(self, **facts: Any) -> None:
        """Keep facts; each is something JSON has a form for."""
        rows = [(name, orjson.dumps(value).decode()) for name, value in facts.items()]
        with self.writing() as connection:
            connection.executemany("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", rows)

    def close(self) -> None:
        """Close every connection; a store without a path goes with the object."""
        for connection in self._opened:
            connection.close()


def _row(record: Record) -> tuple[Any, ...]:
    return (
        record.id,
        record.entity,
        orjson.dumps(record.fields).decode(),
        record.modified_ms,
        record.is_deleted,
        record.deleted_at_ms,
        record.deleted_in,
        record.hidden,
        record.fields.get("AccountId"),
    )


def _record(row: Sequence[Any]) -> Record:
    record = Record.as_stored(row[1], row[0], orjson.loads(row[2]), row[3])
    record.is_deleted, record.deleted_at_ms = bool(row[4]), row[5]
    record.deleted_in, record.hidden = row[6], bool(row[7])
    return record
