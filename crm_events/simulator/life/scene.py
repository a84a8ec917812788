"""The org as people see it while they do one thing: its users, its records, and chance."""

from collections.abc import Callable, Iterator, Sequence
from random import Random

from crm_events.simulator.ids import Mint
from crm_events.simulator.life import names
from crm_events.simulator.org import SimulatedOrg
from crm_events.simulator.records import Record

_LOOKS = 25
_COMPANIES = """
CREATE TABLE IF NOT EXISTS companies (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, trade INTEGER NOT NULL, place INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS companies_by_name ON companies (name);
"""
_Accept = Callable[[Record], bool]


def prepare(org: SimulatedOrg) -> None:
    """Make room for what people know of companies beyond their fields."""
    org.store.prepare(_COMPANIES)


class Scene:
    """What one action works with; everything random comes from its one generator.

    Records held by a transaction under way are nobody's to change, so they are not found.
    """

    def __init__(self, org: SimulatedOrg, rng: Random) -> None:
        self.rng = rng
        self._org = org
        # The same record is the same object, however often it is found.
        self._seen: dict[str, Record] = {}

    @property
    def users(self) -> Sequence[str]:
        """Return who works here."""
        return self._org.users

    @property
    def mint(self) -> Mint:
        """Return what gives out ids."""
        return self._org.mint

    def chance(self, probability: float) -> bool:
        """Say yes as often as that."""
        return self.rng.random() < probability

    def pick(self, entity: str, accept: _Accept = lambda _: True, *, deleted: bool = False) -> Record | None:
        """Return some record that fits, or ``None`` where none turns up."""
        count = self._org.mint.counts[entity]
        condition = f"entity = ? AND id >= ? AND {'' if deleted else 'NOT '}is_deleted"
        for _ in range(_LOOKS if count else 0):
            first = self._org.mint.nth_id(entity, self.rng.randint(1, count))
            found = self._org.store.find(condition, (entity, first), "id LIMIT 1")
            for record in self._free(found):
                if accept(record):
                    return record
        return None

    def find(self, entity: str, record_id: str) -> Record | None:
        """Return a record by its id, unless it is deleted or held by somebody."""
        condition = "entity = ? AND id = ? AND NOT is_deleted"
        found = self._free(self._org.store.find(condition, (entity, record_id)))
        return found[0] if found else None

    def several(self, entity: str, number: int, accept: _Accept = lambda _: True) -> list[Record]:
        """Return up to ``number`` different records that fit."""
        found = (self.pick(entity, accept) for _ in range(number))
        return list({record.id: record for record in found if record is not None}.values())

    def children(self, account: Record) -> Iterator[list[Record]]:
        """Yield the records that go with an account, a list for each object."""
        for entity in ("Contact", "Contract", "Opportunity"):
            condition = "parent = ? AND entity = ? AND NOT is_deleted"
            found = self._free(self._org.store.find(condition, (account.id, entity), "id"))
            if found:
                yield found

    def deleted_together(self) -> list[Record]:
        """Return records that some transaction deleted, as long as they lie in the recycle bin."""
        entity = self.rng.choice(("Account", "Contact", "Lead", "Opportunity", "Work_Order_Line__c"))
        one = self.pick(entity, deleted=True)
        if one is None:
            return []
        condition = "deleted_in = ? AND is_deleted"
        group = self._org.store.find(condition, (one.deleted_in,), "entity, id")
        free = self._free(group)
        return free if len(free) == len(group) else []

    def new_company(self) -> names.Company:
        """Return a company whose name nobody has."""
        return names.company(self.rng, self._is_taken)

    def company(self, record: Record) -> names.Company:
        """Return who an account or a lead's employer is beyond its fields."""
        sql = "SELECT name, trade, place FROM companies WHERE id = ?"
        row = self._org.store.reader.execute(sql, (record.id,)).fetchone()
        if row is None:  # made by somebody else: it gets a trade and a place by its id
            number = sum(map(ord, record.id))
            name = str(record.get("Name") or record.get("Company"))
            row = (name, number % len(names.TRADES), number % len(names.PLACES))
        return names.Company(row[0], names.TRADES[row[1]], names.PLACES[row[2]])

    def company_of(self, record: Record) -> names.Company:
        """Return the company of the account that a record belongs to."""
        account_id = str(record.get("AccountId"))
        return self.company(self._org.record("Account", account_id) or Record("Account", account_id))

    def know(self, record_id: str, company: names.Company) -> None:
        """Remember the company of an account or a lead."""
        row = (record_id, company.name, names.TRADES.index(company.trade), names.PLACES.index(company.place))
        with self._org.store.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO companies (id, name, trade, place) VALUES (?, ?, ?, ?)", row)

    def clear_everywhere(self, entity: str, column: str) -> None:
        """Empty a column of every record of an object, as a change of its type does; no time moves."""
        sql = "UPDATE records SET fields = json_remove(fields, ?) WHERE entity = ?"
        with self._org.store.writing() as connection:
            connection.execute(sql, (f"$.{column}", entity))

    def _is_taken(self, name: str) -> bool:
        return self._org.store.value("SELECT 1 FROM companies WHERE name = ? LIMIT 1", (name,)) is not None

    def _free(self, found: Sequence[Record]) -> list[Record]:
        free = [self._seen.setdefault(record.id, record) for record in found if not self._org.is_locked(record.id)]
        return [record for record in free if not record.is_deleted or found[0].is_deleted]
