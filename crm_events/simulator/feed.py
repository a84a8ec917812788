"""The change events on their way out: queued with the change that they tell of, kept until somebody took them.

As on the bus of Salesforce they are kept for 72 hours, and come at least once (Change Event Storage and Delivery).
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

import orjson

from crm_events.simulator.changes import Change, Transaction
from crm_events.simulator.envelopes import new_uuid, relay, wrap
from crm_events.simulator.records import to_ms
from crm_events.simulator.spoilers import spoiled
from crm_events.simulator.store import Store
from crm_events.simulator.switches import Switchboard

RETENTION = timedelta(hours=72)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS feed (
    n INTEGER PRIMARY KEY, place INTEGER NOT NULL, due_ms INTEGER NOT NULL, queued_ms INTEGER NOT NULL,
    held TEXT, event TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS feed_by_place ON feed (place);
CREATE INDEX IF NOT EXISTS feed_by_age ON feed (queued_ms);
CREATE INDEX IF NOT EXISTS feed_by_held ON feed (held) WHERE held IS NOT NULL;
"""
_ADD = "INSERT INTO feed (place, due_ms, queued_ms, held, event) VALUES (?, ?, ?, ?, ?)"


class Queued(NamedTuple):
    """An event that is due: its number in the queue, and its text."""

    number: int
    event: str


class Feed:
    """The queue of events; ``take`` is called in the transaction of the store that changes the records."""

    def __init__(self, store: Store, switches: Switchboard, rng: Random, now: Callable[[], datetime]) -> None:
        self._store = store
        self._switches = switches
        self._rng = rng
        self._now = now
        store.prepare(_SCHEMA)
        self._place = store.value("SELECT max(place) FROM feed") or 0
        self.sent = store.fact("feed_sent", 0)

    def take(self, transaction: Transaction) -> None:
        """Queue what a transaction tells, as far as the switches let it."""
        if transaction.changes and self._switches.fires("overflow"):
            self._note("overflow", transaction.changes)
            transaction.overflow()
        for change in transaction.changes:
            self._take(change)

    def due(self, limit: int, most_bytes: int) -> list[Queued]:
        """Return events to send now, in order, as many as fit; none while the relay is paused."""
        if self._switches.is_on("paused"):
            return []
        sql = "SELECT n, event FROM feed WHERE due_ms <= ? ORDER BY place LIMIT ?"
        found: list[Queued] = []
        size = 0
        for number, event in self._store.reader.execute(sql, (to_ms(self._now()), limit)):
            size += len(event)
            if found and size > most_bytes:
                break
            found.append(Queued(number, event))
        return found

    def done(self, taken: Sequence[int], given_up: Sequence[int] = ()) -> None:
        """Forget events that somebody took, and those that nobody will ever take."""
        with self._store.writing() as connection:
            gone = ((number,) for number in (*taken, *given_up))
            connection.executemany("DELETE FROM feed WHERE n = ?", gone)
            self.sent += len(taken)
            self._store.remember(feed_sent=self.sent)

    def expire(self) -> int:
        """Lose what is older than the bus keeps, and return how many events that were."""
        oldest = to_ms(self._now() - RETENTION)
        with self._store.writing() as connection:
            gone = connection.execute("DELETE FROM feed WHERE queued_ms < ?", (oldest,)).rowcount
            if gone:
                self._switches.note("expired", detail=f"{gone} events")
        return gone

    def release(self) -> None:
        """Make everything due that is held back or delayed."""
        with self._store.writing() as connection:
            connection.execute("UPDATE feed SET due_ms = 0, held = NULL")

    def waiting(self) -> int:
        """Return how many events are on their way."""
        count: int = self._store.value("SELECT count(*) FROM feed")
        return count

    def oldest_wait(self) -> timedelta:
        """Return how long the first of those that are due has waited."""
        now = to_ms(self._now())
        oldest = self._store.value("SELECT min(due_ms) FROM feed WHERE due_ms <= ? AND due_ms > 0", (now,))
        return timedelta(milliseconds=now - (oldest or now))

    def _take(self, change: Change) -> None:
        lost = "stopped" if self._switches.is_on("stopped") else "drop" if self._switches.fires("drop") else ""
        if lost:
            self._note(lost, [change])
            return
        gap = f"gap_{change.change_type.lower()}"
        if change.change_type in ("CREATE", "UPDATE", "DELETE", "UNDELETE") and self._switches.fires(gap):
            self._note(gap, [change])
            change = change.without_values()
        self._queue(change)

    def _queue(self, change: Change) -> None:
        event = self._shaped(change)
        wait, held = self._wait(change)
        self._add(event, wait, held)
        self._let_go(change.record_ids)
        if self._switches.fires("duplicate"):
            self._note("duplicate", [change])
            again = {**event, "id": new_uuid(self._rng)} if "id" in event else event
            self._add(again, wait + self._switches["duplicate"].value)
        if self._switches.fires("unreadable"):
            self._note("unreadable", [change])
            self._add(spoiled(relay(change, self._rng), self._rng), 0)

    def _shaped(self, change: Change) -> dict[str, Any]:
        if self._switches.fires("other_shapes"):
            return wrap(change, self._rng)
        return relay(change, self._rng)

    def _wait(self, change: Change) -> tuple[float, str | None]:
        """Return how many seconds an event waits, and for a newer event of which record."""
        if len(change.record_ids) == 1 and self._switches.fires("reorder"):
            self._note("reorder", [change])
            return self._switches["reorder"].value, change.record_ids[0]
        if self._switches.fires("delay"):
            self._note("delay", [change])
            return self._switches["delay"].value, None
        return 0, None

    def _add(self, event: dict[str, Any], wait: float, held: str | None = None) -> None:
        now = to_ms(self._now())
        self._place += 1
        row = (self._place, now + round(wait * 1000), now, held, orjson.dumps(event).decode())
        with self._store.writing() as connection:
            if held is not None:
                # One at a time: the one before has been overtaken by this.
                self._release(connection, [held], self._place)
            connection.execute(_ADD, row)

    def _let_go(self, record_ids: Iterable[str]) -> None:
        """Send what was held back for these records, after what has overtaken it."""
        with self._store.writing() as connection:
            self._release(connection, record_ids, self._place)

    def _release(self, connection: Any, record_ids: Iterable[str], before: int) -> None:
        for record_id in record_ids:
            sql = "SELECT n FROM feed WHERE held = ? AND place < ?"
            for (number,) in connection.execute(sql, (record_id, before)).fetchall():
                self._place += 1
                sql = "UPDATE feed SET place = ?, due_ms = ?, held = NULL WHERE n = ?"
                connection.execute(sql, (self._place, to_ms(self._now()), number))

    def _note(self, name: str, changes: Iterable[Change]) -> None:
        for change in changes:
            detail = f"{change.change_type} {change.transaction_key} {change.sequence}"
            self._switches.note(name, entity=change.entity, records=change.record_ids, detail=detail)
