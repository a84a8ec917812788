"""A transaction of the org: what it does to records, and the changes it tells of, before any wire shape."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from crm_events.domain.identifiers import OVERFLOW_ID
from crm_events.simulator.ids import PERSON_RECORD_TYPE
from crm_events.simulator.records import Record, Values, moment_text, stored, to_ms
from crm_events.simulator.schema import PERSON_NAME_PARTS
from crm_events.simulator.texts import Diff, diff_of

# What a person account and its contact share: the account's column, then the contact's.
_SHARED = {**{part: part for part in PERSON_NAME_PARTS}, "PersonEmail": "Email"}


@dataclass(frozen=True, slots=True)
class Change:
    """One change event to be: what the header says, and the fields.

    ``fields`` hold values by column as the store keeps them, or a ``Diff``; ``changed`` names what an UPDATE changed.
    ``enriched`` are fields looked up at delivery, which are no part of the change (cdc_enrich).
    """

    entity: str
    change_type: str
    record_ids: Sequence[str]
    committed_ms: int
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
        return self.committed_ms // 1000 * 1000

    @property
    def commit_number(self) -> int:
        """Return 19 digits, the same for a whole transaction and growing with time."""
        return self.committed_ms * 1_000_000 + 417_203

    def without_values(self) -> "Change":
        """Return the gap event that Salesforce sends in place of a change it cannot spell out."""
        if self.change_type.startswith("GAP_"):
            return self
        gap = f"GAP_{self.change_type}"
        return replace(self, change_type=gap, origin="", fields={}, changed=(), enriched={})


class Transaction:
    """Records changed together: one key, one moment of commit, sequence numbers from 1.

    ``made_at`` is when the changes were made, to the second what LastModifiedDate and SystemModstamp say; the commit
    may come later. ``diffs`` says whether long texts are told of as diffs.
    """

    def __init__(self, made_at: datetime, key: str, user: str, origin: str, *, diffs: bool = True) -> None:
        self.made_at = made_at
        self.key = key
        self.user = user
        self.changes: list[Change] = []
        self.touched: dict[str, Record] = {}
        self.purged: list[Record] = []
        self._origin = origin
        self._diffs = diffs
        self._committed_ms = to_ms(made_at)

    def create(self, record: Record, created_at: datetime | None = None) -> Record:
        """Create a record, by an import with the creation time it had in the system before."""
        now = moment_text(self.made_at)
        created = moment_text(created_at) if created_at else now
        record.fields.setdefault("OwnerId", self.user)
        for column in record.kind.event_columns:
            if column.type == "boolean":
                record.fields.setdefault(column.name, False)  # a checkbox is never empty
        record.fields.update(CreatedDate=created, CreatedById=self.user, LastModifiedDate=now)
        record.fields.update(LastModifiedById=self.user)
        self._touch([record])
        self._tell("CREATE", [record], fields=record.event_values())
        return record

    def create_person(self, account: Record, contact_id: str) -> Record:
        """Create a person account: an Account and a Contact (cdc_standard_objects_person_account)."""
        account.set("RecordTypeId", PERSON_RECORD_TYPE)
        account.set("PersonContactId", contact_id)
        self.create(account)
        shared = {theirs: account.get(ours) for ours, theirs in _SHARED.items()}
        self.create(Record("Contact", contact_id, {"AccountId": account.id, "IsPersonAccount": True, **shared}))
        return account

    def update(self, records: Sequence[Record], values: Values, enrich: Sequence[str] = ()) -> None:
        """Set columns of one record, or of several alike in one merged event; ``None`` clears.

        Only what differs is told, and LastModifiedDate always. Records that are not alike after it, because a part of
        a location takes its sibling with it, have an event each.
        """
        values = {name: stored(value) for name, value in values.items()}
        if _parts_ways(records, values):
            for record in records:
                self.update([record], values, enrich)
            return
        changed = {n: v for n, v in values.items() if any(record.get(n) != v for record in records)}
        told = {name: self._told(records, name, value) for name, value in changed.items()}
        changed.update(self._stamps(records))
        for record in records:
            for name, value in changed.items():
                record.set(name, value)
            record.name_person()
        self._touch(records)
        told.update((name, value) for name, value in changed.items() if name not in told)
        told = _whole_locations(records[0], told)
        self._tell("UPDATE", records, fields=told, changed=tuple(told), enriched=_looked_up(records, enrich))

    def update_person(self, record: Record, other: Record, values: Values) -> None:
        """Update a person account through its account or its contact: both change, and both tell of it."""
        names = _SHARED if record.entity == "Account" else {theirs: ours for ours, theirs in _SHARED.items()}
        self.update([record], values)
        self.update([other], {names[name]: value for name, value in values.items() if name in names})

    def delete(self, records: Sequence[Record], enrich: Sequence[str] = ()) -> None:
        """Move records of one object into the recycle bin, in one merged event."""
        for record in records:
            record.is_deleted, record.deleted_in = True, self.key
            record.deleted_at_ms = self._committed_ms
        self._touch(records)
        self._tell("DELETE", records, enriched=_looked_up(records, enrich))

    def undelete(self, record: Record) -> None:
        """Bring a record back from the recycle bin, with all its fields."""
        record.is_deleted, record.deleted_in, record.deleted_at_ms = False, "", None
        record.set("LastModifiedDate", moment_text(self.made_at))
        self._touch([record])
        self._tell("UNDELETE", [record], fields=record.event_values())

    def change_quietly(self, record: Record, values: Values) -> None:
        """Change a record as a job in the database does: no event, and SystemModstamp stays."""
        for name, value in values.items():
            record.set(name, value)
        record.name_person()
        self.touched[record.id] = record

    def purge(self, records: Sequence[Record]) -> None:
        """Remove records for good, which nobody is told of (hard delete, emptying of the recycle bin)."""
        self.purged += records

    def lose_values(self) -> None:
        """Tell of every change so far without its values (cdc_other_events_gap)."""
        self.changes = [change.without_values() for change in self.changes]

    def overflow(self) -> None:
        """Tell of the changes so far by one event for each object (cdc_other_events_overflow)."""
        entities = dict.fromkeys(change.entity for change in self.changes)
        self.changes = []
        # The first 100,000 changes of such a transaction come as events of their own.
        for number, entity in enumerate(entities, start=100_001):
            self.changes.append(self._change(entity, "GAP_OVERFLOW", [OVERFLOW_ID], number))

    def retype(self, entity: str, prefix: str, column: str) -> None:
        """Tell that a column of every record became empty (cdc_field_conversion_single_event)."""
        self.changes.append(
            self._change(entity, "UPDATE", [f"{prefix}*"], len(self.changes) + 1, changed=(column,), fields={})
        )

    def commit_at(self, moment: datetime) -> None:
        """Set the moment of the commit, for every change of the transaction."""
        self._committed_ms = to_ms(moment)
        self.changes = [replace(change, committed_ms=self._committed_ms) for change in self.changes]
        for record in self.touched.values():
            if record.deleted_in == self.key:
                record.deleted_at_ms = self._committed_ms

    def _stamps(self, records: Sequence[Record]) -> dict[str, str]:
        stamps = {"LastModifiedDate": moment_text(self.made_at)}
        if any(record.get("LastModifiedById") != self.user for record in records):
            stamps["LastModifiedById"] = self.user
        return stamps

    def _told(self, records: Sequence[Record], name: str, value: Any) -> Any:
        """Return a value, or the diff in which a change of a long text is told."""
        if not self._diffs or len(records) > 1 or records[0].kind.columns[name].type != "textarea":
            return value
        return diff_of(records[0].get(name), value) or value

    def _touch(self, records: Iterable[Record]) -> None:
        for record in records:
            record.modified_ms = to_ms(self.made_at) // 1000 * 1000
            self.touched[record.id] = record

    def _tell(self, change_type: str, records: Sequence[Record], **carried: Any) -> None:
        ids = [record.id for record in records]
        change = self._change(records[0].entity, change_type, ids, len(self.changes) + 1, **carried)
        self.changes.append(change)

    def _change(self, entity: str, change_type: str, ids: Sequence[str], sequence: int, **carried: Any) -> Change:
        return Change(
            entity, change_type, ids, self._committed_ms, sequence, self.key, self.user, self._origin, **carried
        )


def _whole_locations(record: Record, told: dict[str, Any]) -> dict[str, Any]:
    """Add the sibling: a geolocation of a custom object always comes with both components (General Considerations)."""
    whole = dict(told)
    for compound, kind in record.kind.compounds.items():
        parts = [column.name for column in record.kind.parts[compound]] if kind == "location" else []
        if any(part in told for part in parts):
            whole.update((part, record.get(part)) for part in parts)
    return whole


def _parts_ways(records: Sequence[Record], values: Values) -> bool:
    kind = records[0].kind
    touched = {column.compound for name in values if (column := kind.columns[name]).compound in kind.compounds}
    siblings = [
        column.name
        for compound in touched
        for column in kind.parts[compound]
        if kind.compounds[compound] == "location" and column.name not in values
    ]
    return any(record.get(name) != records[0].get(name) for record in records for name in siblings)


def _looked_up(records: Sequence[Record], names: Sequence[str]) -> dict[str, Any]:
    return {name: value for name in names if (value := records[0].get(name)) is not None}


__all__ = ["Change", "Diff", "Transaction"]
