"""The org as it stands: its users, its records, and chance."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from random import Random

from crm_events.demo.changes import Record, Transaction
from crm_events.demo.ids import Mint
from crm_events.demo.names import Company

_USERS = 12
_LOOKS = 25
_ORIGINS = (
    "com/salesforce/api/soap/66.0;client=SfdcInternalAPI/",
    "com/salesforce/api/rest/66.0;client=SalesDesk",
    "com/salesforce/api/rest/66.0;client=RightsPortal",
    "",
)


class Org:
    """Records by object, with the recycle bin; everything random comes from its one generator."""

    def __init__(self, rng: Random, mint: Mint) -> None:
        self.rng = rng
        self.mint = mint
        self.users = [mint.record_id("User") for _ in range(_USERS)]
        self.company_names: set[str] = set()
        # Of accounts and leads: who they are beyond their fields.
        self.companies: dict[str, Company] = {}
        self.bin: list[list[Record]] = []
        self._records: defaultdict[str, list[Record]] = defaultdict(list)

    def transaction(self, moment: datetime, origin: str | None = None) -> Transaction:
        """Begin a transaction of one of the users."""
        key = self.mint.transaction_key()
        return Transaction(moment, key, self.rng.choice(self.users), origin or self.rng.choice(_ORIGINS))

    def add(self, record: Record) -> Record:
        """Note a record that was created or came back."""
        self._records[record.entity].append(record)
        return record

    def remove(self, record: Record) -> None:
        """Forget a record: it was deleted, or nobody can know its values any more."""
        self._records[record.entity].remove(record)

    def pick(self, entity: str, accept: Callable[[Record], bool] = lambda _: True) -> Record | None:
        """Return some record that fits, or ``None`` where none turns up."""
        records = self._records[entity]
        looks = (self.rng.choice(records) for _ in range(_LOOKS if records else 0))
        return next((record for record in looks if accept(record)), None)

    def several(self, entity: str, number: int) -> list[Record]:
        """Return up to ``number`` different records."""
        records = self._records[entity]
        return self.rng.sample(records, min(number, len(records)))

    def children(self, account: Record) -> Iterator[list[Record]]:
        """Yield the records that go with an account, a list for each object."""
        for entity in ("Contact", "Contract", "Opportunity"):
            found = [record for record in self._records[entity] if record.get("AccountId") == account.id]
            if found:
                yield found

    def chance(self, probability: float) -> bool:
        """Say yes as often as that."""
        return self.rng.random() < probability
