"""The course of events: an import from an older system, then people at work, day by day."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random

from crm_events.demo.changes import Change, Record, Transaction
from crm_events.demo.ids import Mint
from crm_events.demo.life import accounts, contacts, deals, housekeeping, leads
from crm_events.demo.org import Org

WINDOW = timedelta(days=90)
_TICK = timedelta(milliseconds=1)
_SHARE_IMPORTED = 0.6
_ACTIONS_PER_ACCOUNT = 13
_IMPORTED_AT_ONCE = 50
_FRIDAY = 4
_Action = Callable[[Org, Transaction], None]

# What people do, and how often beside the rest.
_ACTIONS: tuple[tuple[_Action, int], ...] = (
    (accounts.sign_account, 3),
    (accounts.edit_account, 24),
    (accounts.reassign_accounts, 2),
    (contacts.add_contact, 6),
    (contacts.edit_contact, 15),
    (deals.open_deal, 9),
    (deals.advance_deal, 20),
    (deals.edit_contract, 7),
    (leads.take_lead, 8),
    (leads.work_lead, 12),
    (leads.convert_lead, 2),
    (housekeeping.plan_work, 3),
    (housekeeping.report_work, 5),
    (housekeeping.delete_something, 2),
    (housekeeping.restore_something, 1),
)
# What happens once, after which share of the history. Such changes ask for a look at Salesforce, so they are few.
_INCIDENTS: tuple[tuple[float, _Action], ...] = (
    (0.35, housekeeping.retype_field),
    (0.55, housekeeping.load_too_much),
    (0.65, housekeeping.lose_changes),
    (0.8, housekeeping.lose_creation),
    (0.9, housekeeping.lose_deletion),
)


class Simulation:
    """An org that lives: its history once, then one transaction for each ``step``."""

    def __init__(self, seed: int, now: datetime, size: int) -> None:
        self._rng = Random(f"life {seed}")  # noqa: S311  # an invented org needs no secrets
        self._org = Org(self._rng, Mint(f"{seed} {now.isoformat()}"))
        self._size = size
        self._now = now
        self._last = now - WINDOW

    def history(self) -> Iterator[Change]:
        """Yield the changes up to now, in the order of their commits."""
        yield from self._import()
        moments = _working_hours(self._rng, self._now, self._size * _ACTIONS_PER_ACCOUNT)
        incidents = {int(share * len(moments)): action for share, action in _INCIDENTS}
        for number, moment in enumerate(moments):
            yield from self.step(moment)
            if number in incidents:
                yield from self._transact(moment, incidents[number])

    def step(self, moment: datetime) -> list[Change]:
        """Let somebody do something, and return the changes of the transaction, at least one."""
        actions, weights = zip(*_ACTIONS, strict=True)
        while True:
            changes = self._transact(moment, self._rng.choices(actions, weights)[0])
            if changes:
                return changes

    def _transact(self, moment: datetime, action: _Action) -> list[Change]:
        # Each transaction has a moment of its own: row locks put two of them on one record in strict order.
        self._last = max(moment, self._last + _TICK)
        transaction = self._org.transaction(self._last)
        action(self._org, transaction)
        return transaction.changes

    def _import(self) -> Iterator[Change]:
        """Take over accounts, people, contracts, deals and leads, as many as fit in one transaction at a time."""
        number = int(self._size * _SHARE_IMPORTED)
        for done in range(0, number, _IMPORTED_AT_ONCE):
            self._last += timedelta(seconds=20)
            transaction = self._org.transaction(self._last, "com/salesforce/api/bulkapi/66.0;client=NightlyLoader")
            for _ in range(min(number - done, _IMPORTED_AT_ONCE)):
                self._import_account(transaction)
            yield from transaction.changes

    def _import_account(self, transaction: Transaction) -> None:
        account = accounts.new_account(self._org)
        self._take_over(transaction, account)
        today = transaction.committed_at.date()
        for _ in range(self._rng.randint(1, 3)):
            self._take_over(transaction, contacts.new_contact(self._org, account))
        if self._org.chance(0.5):
            self._take_over(transaction, deals.new_contract(self._org, account.id, today))
        for _ in range(self._rng.randint(0, 2)):
            self._take_over(transaction, deals.new_deal(self._org, account, today))
        if self._org.chance(0.6):
            self._take_over(transaction, leads.new_lead(self._org))

    def _take_over(self, transaction: Transaction, record: Record) -> None:
        # An import may set the creation time ("Set Audit Fields upon Record Creation").
        age = timedelta(days=self._rng.randint(1, 1500), seconds=self._rng.randrange(86_400))
        self._org.add(transaction.create(record, created_at=(transaction.committed_at - age).replace(microsecond=0)))


def _working_hours(rng: Random, now: datetime, number: int) -> list[datetime]:
    """Return moments between the import and now, in order: most on weekdays, by day."""
    found: list[datetime] = []
    first = (now - WINDOW).replace(hour=0, minute=0, second=0, microsecond=0)
    while len(found) < number:
        day = first + timedelta(days=rng.randint(1, WINDOW.days))
        moment = day + timedelta(milliseconds=int(rng.triangular(6, 20, 13) * 3_600_000))
        if moment < now and (day.weekday() <= _FRIDAY or rng.random() < 0.1):  # noqa: PLR2004
            found.append(moment)
    return sorted(found)
