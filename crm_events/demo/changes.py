"""Changes as Salesforce commits them, before any wire shape: transactions, and what each change carries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SYSTEM_FIELDS = ("CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById")


@dataclass(frozen=True, slots=True)
class Diff:
    """A change of a long text, sent as a unified diff."""

    text: str


@dataclass(slots=True, eq=False)
class Record:
    """A record of the org: its fields as a CREATE carries them, compounds nested, nulls left out."""

    entity: str
    id: str
    fields: dict[str, Any]

    def set(self, name: str, value: Any) -> None:
        """Set a field by its event name (``BillingAddress.City``); ``None`` clears it."""
        parent, _, child = name.partition(".")
        holder = self.fields.setdefault(parent, {}) if child else self.fields
        if value is None:
            holder.pop(child or parent, None)
        else:
            holder[child or parent] = value

    def get(self, name: str) -> Any:
        """Return a field by its event name, or ``None``."""
        parent, _, child = name.partition(".")
        return self.fields.get(parent, {}).get(child) if child else self.fields.get(parent)


@dataclass(frozen=True, slots=True)
class Change:
    """One change event to be: what the header says, and the fields.

    ``fields`` may hold ``datetime``, ``date``, ``Decimal`` and ``Diff``: each wire shape writes them in its own way.
    ``enriched`` are fields looked up at delivery, which are no part of the change (cdc_enrich).
    """

    entity: str
    change_type: str
    record_ids: Sequence[str]
    committed_at: datetime
    sequence: int
    transaction_key: str
    user: str
    origin: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    changed: Sequence[str] = ()
    enriched: Mapping[str, Any] = field(default_factory=dict)

    @property
    def commit_timestamp(self) -> int:
        """Return epoch milliseconds of whole seconds, as every commit timestamp seen so far."""
        return _milliseconds(self.committed_at) // 1000 * 1000

    @property
    def commit_number(self) -> int:
        """Return 19 digits, the same for a whole transaction and growing with time."""
        return _milliseconds(self.committed_at) * 1_000_000 + 417_203


class Transaction:
    """Changes committed together: one key, one moment, sequence numbers from 1."""

    def __init__(self, committed_at: datetime, key: str, user: str, origin: str) -> None:
        self.committed_at = committed_at
        self.user = user
        self.changes: list[Change] = []
        self._key = key
        self._origin = origin

    @property
    def today(self) -> datetime:
        """Return the moment of the commit to the second, as LastModifiedDate has it."""
        return self.committed_at.replace(microsecond=0)

    def create(self, record: Record, created_at: datetime | None = None) -> Record:
        """Create a record, by an import with the creation time it had in the system before."""
        created_at = created_at or self.today
        system = (created_at, self.user, self.today, self.user)
        record.fields = {"OwnerId": self.user, **record.fields, **dict(zip(_SYSTEM_FIELDS, system, strict=True))}
        self._append("CREATE", [record], fields=_copy(record.fields))
        return record

    def update(self, records: Sequence[Record], fields: Mapping[str, Any], enrich: Sequence[str] = ()) -> None:
        """Set fields, by event name, of one record or of several in one merged event; ``None`` clears."""
        values = {**fields, "LastModifiedDate": self.today}
        if any(record.get("LastModifiedById") != self.user for record in records):
            values["LastModifiedById"] = self.user
        for record in records:
            for name, value in values.items():
                record.set(name, value)
        enriched = {name: value for name in enrich if (value := records[0].get(name)) is not None}
        self._append("UPDATE", records, fields=_nested(values), changed=tuple(values), enriched=enriched)

    def edit_text(self, record: Record, name: str, text: str, diff: str) -> None:
        """Change one line of a long text."""
        record.set(name, text)
        record.set("LastModifiedDate", self.today)
        fields = {name: Diff(diff), "LastModifiedDate": self.today}
        self._append("UPDATE", [record], fields=fields, changed=tuple(fields))

    def delete(self, records: Sequence[Record], enrich: Sequence[str] = ()) -> None:
        """Delete records of one object in one merged event."""
        enriched = {name: value for name in enrich if (value := records[0].get(name)) is not None}
        self._append("DELETE", records, enriched=enriched)

    def undelete(self, record: Record) -> None:
        """Bring a record back from the recycle bin, with all its fields."""
        record.set("LastModifiedDate", self.today)
        self._append("UNDELETE", [record], fields=_copy(record.fields))

    def gap(self, change_type: str, records: Sequence[Record]) -> None:
        """Tell of a change without its values."""
        self._append(change_type, records)

    def notice(self, change_type: str, entity: str, record_id: str, changed: Sequence[str] = ()) -> None:
        """Tell of a change of an object as a whole."""
        # The first 100,000 changes of such a transaction come as events of their own (cdc_other_events_overflow).
        sequence = 100_001 if change_type == "GAP_OVERFLOW" else 1
        self.changes.append(self._change(entity, change_type, [record_id], sequence, changed=changed))

    def _append(self, change_type: str, records: Sequence[Record], **carried: Any) -> None:
        ids = [record.id for record in records]
        change = self._change(records[0].entity, change_type, ids, len(self.changes) + 1, **carried)
        self.changes.append(change)

    def _change(self, entity: str, change_type: str, ids: Sequence[str], sequence: int, **carried: Any) -> Change:
        user, origin = self.user, self._origin
        if change_type.startswith("GAP_") and change_type != "GAP_OVERFLOW":
            origin = ""
        return Change(entity, change_type, ids, self.committed_at, sequence, self._key, user, origin, **carried)


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of an UPDATE: components inside their compound."""
    body: dict[str, Any] = {}
    for name, value in values.items():
        parent, _, child = name.partition(".")
        if child:
            body.setdefault(parent, {})[child] = value
        else:
            body[name] = value
    return body


def _copy(fields: Mapping[str, Any]) -> dict[str, Any]:
    # The record lives on; the change keeps what was so.
    return {name: dict(value) if isinstance(value, dict) else value for name, value in fields.items()}


def _milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)
