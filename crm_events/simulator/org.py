"""The org: its records, its clock, its users, and the transactions that change them."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from crm_events.simulator.changes import Transaction
from crm_events.simulator.feed import Feed
from crm_events.simulator.ids import Mint
from crm_events.simulator.mishaps import Mishaps
from crm_events.simulator.records import Record, Values, from_ms, moment_text, to_ms
from crm_events.simulator.store import Store
from crm_events.simulator.switches import Switchboard

_USERS = 12
_COMMITS_KEPT = 10_000
_SEEDED_AT_ONCE = 10_000


def utc_now() -> datetime:
    """Return this machine's clock."""
    return datetime.now(UTC)


class SimulatedOrg:
    """A Salesforce org of our own.

    Its state is in ``path`` (none: in a file that goes with it) and found again by another org on the same path.
    ``seed`` decides ids and everything random of a new one. ``clock`` is asked for the time (aware, UTC).
    """

    def __init__(self, path: Path | None = None, *, seed: int = 1, clock: Callable[[], datetime] = utc_now) -> None:
        self.store = Store(path)
        self._clock = clock
        facts = self.store.fact("org")
        if facts is None:
            facts = {"seed": seed, "salt": f"{seed} {clock().isoformat()}", "counts": {}, "last_commit_ms": 0}
            self.store.remember(org=facts)
        self.seed: int = facts["seed"]
        self.mint = Mint(facts["salt"], facts["counts"])
        self._last_commit_ms: int = facts["last_commit_ms"]
        self.users = [self.mint.nth_id("User", number) for number in range(1, _USERS + 1)]
        self.rng = Random(f"org {self.seed} {facts['last_commit_ms']}")  # noqa: S311  # needs no secrets
        self.mishaps = Mishaps(self.store, self.now)
        self.switches = Switchboard(self.store, self.mishaps, self.seed)
        self.feed = Feed(self.store, self.switches, self.rng, self.now)
        # When the changes of transactions under way were made, by their keys.
        self.in_flight: dict[str, datetime] = {}
        self.locked: set[str] = set()
        self._commits: deque[float] = deque(maxlen=_COMMITS_KEPT)

    @property
    def api_user(self) -> str:
        """Return the user as whom programs log in."""
        return self.users[0]

    def now(self) -> datetime:
        """Return the org's own clock, which may be wrong."""
        skew = self.switches["skew"].value if self.switches.is_on("skew") else 0
        return self._clock() + timedelta(seconds=skew)

    def begin(self, user: str = "", origin: str = "", made_at: datetime | None = None) -> Transaction:
        """Begin a transaction; nothing of it is seen by others before ``commit``."""
        key, diffs = self.mint.transaction_key(), self.switches.is_on("diff")
        return Transaction(made_at or self.now(), key, user or self.api_user, origin, diffs=diffs)

    def commit(self, transaction: Transaction, moment: datetime | None = None) -> None:
        """Write what a transaction did, and tell whoever listens.

        Each commit has a moment of its own: row locks put two transactions on one record in strict order.
        """
        with self.store.writing():
            self._last_commit_ms = max(to_ms(moment or transaction.made_at), self._last_commit_ms + 1)
            transaction.commit_at(from_ms(self._last_commit_ms))
            self.store.put(transaction.touched.values())
            for record in transaction.purged:
                self.store.purge(record.entity, [record.id])
            self.feed.take(transaction)
            self.keep()
        self._commits.append(time.monotonic())

    def commits_in(self, window: timedelta) -> int:
        """Return how many transactions this process committed of late."""
        since = time.monotonic() - window.total_seconds()
        return sum(moment >= since for moment in list(self._commits))

    def change(self, record: Record, values: Values, origin: str = "") -> None:
        """Change a record in a transaction of its own; the other half of a person account goes with it."""
        with self.store.writing():
            transaction = self.begin(origin=origin)
            other = self.other_half(record)
            if other is None:
                transaction.update([record], values)
            else:
                transaction.update_person(record, other, values)
            self.commit(transaction)

    def delete(self, records: Sequence[Record], origin: str = "") -> None:
        """Move records into the recycle bin, in one transaction; of a person account both halves."""
        with self.store.writing():
            transaction = self.begin(origin=origin)
            for record in records:
                transaction.delete([record])
                if (other := self.other_half(record)) is not None:
                    transaction.delete([other])
            self.commit(transaction)

    def undelete(self, records: Sequence[Record], origin: str = "") -> None:
        """Bring records back from the recycle bin, in one transaction; of a person account both halves."""
        with self.store.writing():
            transaction = self.begin(origin=origin)
            for record in records:
                transaction.undelete(record)
                if (other := self.other_half(record)) is not None:
                    transaction.undelete(other)
            self.commit(transaction)

    def other_half(self, record: Record) -> Record | None:
        """Return the contact behind a person account, or the account before such a contact."""
        if not record.is_person:
            return None
        entity, column = ("Contact", "PersonContactId") if record.entity == "Account" else ("Account", "AccountId")
        return self.record(entity, str(record.get(column)))

    def lock(self, transaction: Transaction) -> None:
        """Hold the records of a transaction under way: nobody else changes them until its commit."""
        self.locked.update(transaction.touched)
        self.in_flight[transaction.key] = transaction.made_at

    def unlock(self, transaction: Transaction) -> None:
        """Let go of the records of a transaction."""
        self.locked.difference_update(transaction.touched)
        self.in_flight.pop(transaction.key, None)

    def is_locked(self, record_id: str) -> bool:
        """Say whether a transaction under way holds the record."""
        return record_id in self.locked

    def keep(self) -> None:
        """Write what the org must know after a restart beside its records."""
        counts, last = self.mint.counts, self._last_commit_ms
        self.store.remember(org={"seed": self.seed, "salt": self.mint.salt, "counts": counts, "last_commit_ms": last})

    def record(self, entity: str, record_id: str) -> Record | None:
        """Return a record, whether or not it lies in the recycle bin."""
        return self.store.get(entity, [record_id]).get(record_id)

    def seed_rows(self, entity: str, count: int, *, created_at: datetime | None = None) -> None:
        """Add that many simple records at once, as they were before change events were switched on: none tells."""
        moment = created_at or self.now()
        rows = self._simple_rows(entity, count, moment)
        while batch := list(islice(rows, _SEEDED_AT_ONCE)):
            self.store.put(batch)
        self.keep()

    def _simple_rows(self, entity: str, count: int, moment: datetime) -> Iterator[Record]:
        text, milliseconds = moment_text(moment), to_ms(moment) // 1000 * 1000
        system: dict[str, Any] = {"CreatedDate": text, "LastModifiedDate": text}
        system.update(dict.fromkeys(("OwnerId", "CreatedById", "LastModifiedById"), self.api_user))
        for number in range(count):
            fields = {**_SIMPLE[entity](number), **system}
            yield Record.as_stored(entity, self.mint.record_id(entity), fields, milliseconds)

    def close(self) -> None:
        """Let go of the files."""
        self.store.close()


def _person(number: int) -> dict[str, Any]:
    last = f"Row {number}"
    return {"Name": f"Ada {last}", "FirstName": "Ada", "LastName": last, "Email": f"row{number}@rows.example"}


# What a record that was only made to be many has.
_SIMPLE: dict[str, Callable[[int], dict[str, Any]]] = {
    "Account": lambda number: {
        "Name": f"Row {number}",
        "Phone": f"+44 20 7946 {number % 10_000:04d}",
        "BillingCity": "London",
        "BillingCountry": "United Kingdom",
        "Industry": "Music",
        "Account_Status__c": "Active",
    },
    "Contact": lambda number: {**_person(number), "IsPersonAccount": False},
    "Lead": lambda number: {**_person(number), "Company": f"Row {number}", "Status": "Open", "IsConverted": False},
    "Contract": lambda number: {"ContractNumber": f"{number:08d}", "Status": "Draft", "ContractTerm": 12},
    "Opportunity": lambda number: {
        "Name": f"Row {number}",
        "StageName": "Prospecting",
        "Amount": number / 4,
        "IsClosed": False,
        "IsWon": False,
    },
    "Work_Order_Line__c": lambda number: {"Name": f"WOL-{number:05d}", "Status__c": "Planned"},
}
SEEDABLE: Sequence[str] = tuple(_SIMPLE)
