"""The course of events: an import from an older system, then people at work, day by day."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random

from crm_events.simulator.changes import Transaction
from crm_events.simulator.life import accounts, contacts, deals, housekeeping, leads, trouble
from crm_events.simulator.life.scene import Scene, prepare
from crm_events.simulator.org import SimulatedOrg
from crm_events.simulator.records import Record

WINDOW = timedelta(days=90)
_SHARE_IMPORTED = 0.6
_ACTIONS_PER_ACCOUNT = 13
_IMPORTED_AT_ONCE = 50
_STEPS_AT_ONCE = 200
_FRIDAY = 4
_IMPORT_ORIGIN = "com/salesforce/api/bulkapi/66.0;client=NightlyLoader"
_ORIGINS = (
    "com/salesforce/api/soap/66.0;client=SfdcInternalAPI/",
    "com/salesforce/api/rest/66.0;client=SalesDesk",
    "com/salesforce/api/rest/66.0;client=RightsPortal",
    "",
)
_Action = Callable[[Scene, Transaction], None]

# What people do, and how often beside the rest.
_ACTIONS: tuple[tuple[_Action, int], ...] = (
    (accounts.sign_account, 3),
    (accounts.edit_account, 24),
    (accounts.edit_person, 2),
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
    (housekeeping.hold_meeting, 6),
)
# What happens once, after which share of the history. Such changes ask for a look at Salesforce, so they are few.
_INCIDENTS: tuple[tuple[float, _Action], ...] = (
    (0.35, housekeeping.retype_field),
    (0.55, housekeeping.load_too_much),
    (0.65, housekeeping.lose_changes),
    (0.8, housekeeping.lose_creation),
    (0.9, housekeeping.lose_deletion),
)


class Life:
    """People at work in an org: its history once, then one transaction after the other.

    What happens follows from the org's seed and the number of the transaction, so a restart goes on as if there had
    been none.
    """

    def __init__(self, org: SimulatedOrg) -> None:
        self._org = org
        self._lock = threading.RLock()
        # Transactions that are made and not yet committed, each with the moment at which it will be.
        self._open: list[tuple[datetime, Transaction]] = []
        prepare(org)

    def load_history(self, accounts_wanted: int) -> Iterator[int]:
        """Let the last 90 days happen, and yield the number of transactions so far, now and then.

        Whatever of it happened before stays as it is.
        """
        now = self._org.now().replace(microsecond=0)
        plan = self._org.store.fact("history", {"now": now.isoformat(), "accounts": accounts_wanted, "done": 0})
        steps = self._history_steps(datetime.fromisoformat(plan["now"]), plan["accounts"])
        done: int = plan["done"]
        while done < len(steps):
            with self._org.store.writing():
                for moment, action in steps[done : done + _STEPS_AT_ONCE]:
                    self._history_step(moment, action)
                done = min(done + _STEPS_AT_ONCE, len(steps))
                self._org.store.remember(history={**plan, "done": done})
            yield done

    def now(self) -> datetime:
        """Return the org's clock."""
        return self._org.now()

    def step(self, moment: datetime | None = None) -> None:
        """Let somebody do something, at least one change; what a switch asks for happens besides."""
        moment = moment or self._org.now()
        self.commit_due(moment)
        with self._lock, self._org.store.writing():
            while not self._act(moment, self._chosen()):
                pass
            for action in trouble.due(self._org.switches):
                self._act(moment, action)

    def advance(self, count: int) -> None:
        """Let that many transactions happen now."""
        for _ in range(count):
            self.step()

    def commit_due(self, moment: datetime | None = None) -> None:
        """Commit the slow transactions whose time has come; without a moment, all of them."""
        with self._lock:
            due = [pair for pair in self._open if moment is None or pair[0] <= moment]
            for at, transaction in due:
                self._org.commit(transaction, at)
                self._org.unlock(transaction)
                self._open.remove((at, transaction))

    def _history_steps(self, now: datetime, size: int) -> list[tuple[datetime, _Action | None]]:
        """Return the moments of the history in order, with what happens where it is no chance."""
        steps: list[tuple[datetime, _Action | None]] = []
        for number, done in enumerate(range(0, int(size * _SHARE_IMPORTED), _IMPORTED_AT_ONCE), start=1):
            many = min(int(size * _SHARE_IMPORTED) - done, _IMPORTED_AT_ONCE)
            steps.append((now - WINDOW + timedelta(seconds=20 * number), _importing(many)))
        rng = Random(f"hours {self._org.seed}")  # noqa: S311  # an invented org needs no secrets
        moments = _working_hours(rng, now, size * _ACTIONS_PER_ACCOUNT)
        incidents = {int(share * len(moments)): action for share, action in _INCIDENTS}
        for number, moment in enumerate(moments):
            steps.append((moment, None))
            if number in incidents:
                steps.append((moment, incidents[number]))
        return steps

    def _history_step(self, moment: datetime, action: _Action | None) -> None:
        if action is not None:
            self._act(moment, action)
            return
        while not self._act(moment, self._chosen()):
            pass

    def _chosen(self) -> _Action:
        number = self._org.mint.counts["life"] + 1
        rng = Random(f"choice {self._org.seed} {number}")  # noqa: S311  # an invented org needs no secrets
        actions, weights = zip(*_ACTIONS, strict=True)
        chosen: _Action = rng.choices(actions, weights)[0]
        return chosen

    def _act(self, moment: datetime, action: _Action) -> bool:
        """Do something in a transaction of its own, and say whether anybody hears of it."""
        self._org.mint.counts["life"] += 1
        number = self._org.mint.counts["life"]
        scene = Scene(self._org, Random(f"life {self._org.seed} {number}"))  # noqa: S311  # needs no secrets
        origin = _IMPORT_ORIGIN if isinstance(action, _Import) else scene.rng.choice(_ORIGINS)
        transaction = self._org.begin(scene.rng.choice(self._org.users), origin, moment)
        action(scene, transaction)
        if transaction.changes and self._org.switches.fires("in_flight"):
            self._postpone(moment, transaction)
        elif transaction.touched or transaction.changes or transaction.purged:
            self._org.commit(transaction)
        return bool(transaction.changes)

    def _postpone(self, moment: datetime, transaction: Transaction) -> None:
        seconds = self._org.switches["in_flight"].value
        self._org.lock(transaction)
        self._open.append((moment + timedelta(seconds=seconds), transaction))
        for change in transaction.changes:
            self._org.switches.note("in_flight", entity=change.entity, records=change.record_ids)


class _Import:
    """Take over accounts, people, contracts, deals and leads, as many as fit in one transaction."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __call__(self, scene: Scene, tx: Transaction) -> None:
        """Import them."""
        for _ in range(self._count):
            self._account(scene, tx)

    def _account(self, scene: Scene, tx: Transaction) -> None:
        account = accounts.new_account(scene)
        _take_over(scene, tx, account)
        today = tx.made_at.date()
        for _ in range(scene.rng.randint(1, 3)):
            _take_over(scene, tx, contacts.new_contact(scene, account))
        if scene.chance(0.5):
            _take_over(scene, tx, deals.new_contract(scene, account, today))
        for _ in range(scene.rng.randint(0, 2)):
            _take_over(scene, tx, deals.new_deal(scene, account, today))
        if scene.chance(0.6):
            _take_over(scene, tx, leads.new_lead(scene))


def _importing(count: int) -> _Action:
    return _Import(count)


def _take_over(scene: Scene, tx: Transaction, record: Record) -> None:
    # An import may set the creation time ("Set Audit Fields upon Record Creation").
    age = timedelta(days=scene.rng.randint(1, 1500), seconds=scene.rng.randrange(86_400))
    tx.create(record, created_at=tx.made_at - age)


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
