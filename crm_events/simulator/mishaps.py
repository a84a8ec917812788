"""What went wrong so far: each thing that a switch did, with the event or record that it was done to."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import orjson

from crm_events.simulator.records import to_ms
from crm_events.simulator.store import Store

_SCHEMA = """
CREATE TABLE IF NOT EXISTS mishaps (
    n INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, name TEXT NOT NULL, entity TEXT NOT NULL, records TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS mishaps_by_name ON mishaps (name);
"""


class Mishaps:
    """The list of them, newest last."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        store.prepare(_SCHEMA)

    def note(self, name: str, *, entity: str = "", records: Sequence[str] = (), detail: str = "") -> None:
        """Add one."""
        row = (to_ms(self._now()), name, entity, orjson.dumps(list(records)).decode(), detail)
        sql = "INSERT INTO mishaps (at_ms, name, entity, records, detail) VALUES (?, ?, ?, ?, ?)"
        with self._store.writing() as connection:
            connection.execute(sql, row)

    def counts(self) -> dict[str, int]:
        """Return how many there are of each."""
        return dict(self._store.reader.execute("SELECT name, count(*) FROM mishaps GROUP BY name"))

    def after(self, number: int, limit: int) -> list[dict[str, Any]]:
        """Return up to ``limit`` after one, in order."""
        sql = "SELECT n, at_ms, name, entity, records, detail FROM mishaps WHERE n > ? ORDER BY n LIMIT ?"
        return [_shown(row) for row in self._store.reader.execute(sql, (number, limit))]

    def newest(self, limit: int) -> list[dict[str, Any]]:
        """Return the last ones, newest first."""
        sql = "SELECT n, at_ms, name, entity, records, detail FROM mishaps ORDER BY n DESC LIMIT ?"
        return [_shown(row) for row in self._store.reader.execute(sql, (limit,))]


def _shown(row: Sequence[Any]) -> dict[str, Any]:
    number, at_ms, name, entity, records, detail = row
    return {
        "n": number,
        "at_ms": at_ms,
        "name": name,
        "entity": entity,
        "records": orjson.loads(records),
        "detail": detail,
    }
