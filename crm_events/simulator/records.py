"""A record of the org as it stands, its fields by REST name in the form in which the store keeps them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Self

from crm_events.cdc.names import flatten
from crm_events.simulator.schema import OBJECTS, ObjectType, person_name


@dataclass(slots=True, eq=False)
class Record:
    """A record: texts, numbers, booleans; days and times as ISO texts; nulls left out.

    ``modified_ms`` is SystemModstamp. ``deleted_at_ms`` and ``deleted_in`` (a transaction) are set while it lies in
    the recycle bin. ``hidden`` says that the API user may not see it.
    """

    entity: str
    id: str
    fields: dict[str, Any] = field(default_factory=dict)
    modified_ms: int = 0
    is_deleted: bool = False
    deleted_at_ms: int | None = None
    deleted_in: str = ""
    hidden: bool = False

    @classmethod
    def as_stored(cls, entity: str, record_id: str, fields: dict[str, Any], modified_ms: int) -> Self:
        """Return a record whose fields are already as the store keeps them, which is quick."""
        record = cls.__new__(cls)
        record.entity, record.id, record.fields, record.modified_ms = entity, record_id, fields, modified_ms
        record.is_deleted, record.deleted_at_ms, record.deleted_in, record.hidden = False, None, "", False
        return record

    def __post_init__(self) -> None:
        self.fields = {name: stored(value) for name, value in flatten(self.fields).items() if value is not None}
        self.name_person()

    @property
    def kind(self) -> ObjectType:
        """Return what the record is made of."""
        return OBJECTS[self.entity]

    @property
    def is_person(self) -> bool:
        """Say whether it is a person account, or the contact behind one."""
        return "PersonContactId" in self.fields or self.fields.get("IsPersonAccount") is True

    def set(self, column: str, value: Any) -> None:
        """Set a column; ``None`` clears it."""
        if value is None:
            self.fields.pop(column, None)
        else:
            self.fields[column] = stored(value)

    def get(self, column: str) -> Any:
        """Return a column's value, or ``None``."""
        return self.fields.get(column)

    def day(self, column: str) -> date | None:
        """Return a column that holds a day."""
        text = self.fields.get(column)
        return None if text is None else date.fromisoformat(text)

    def name_person(self) -> None:
        """Set the Name that rows of a person have from its parts."""
        if self.kind.has_person_name or "LastName" in self.fields:
            self.set("Name", person_name(self.fields))

    def event_values(self) -> dict[str, Any]:
        """Return the columns that a CREATE or UNDELETE carries: all that have a value and that events carry."""
        hides_name = "LastName" in self.fields
        return {
            column.name: self.fields[column.name]
            for column in self.kind.event_columns
            if column.name in self.fields and not (hides_name and column.name == "Name")
        }


def stored(value: Any) -> Any:
    """Return a value as the store keeps it."""
    if isinstance(value, datetime):
        return moment_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def moment_text(moment: datetime) -> str:
    """Return a time as events and Bulk write it, to the second: ``2026-10-06T07:20:05.000Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def from_ms(milliseconds: int) -> datetime:
    """Return epoch milliseconds as a moment."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def to_ms(moment: datetime) -> int:
    """Return the whole milliseconds since the epoch."""
    return round(moment.timestamp() * 1000)


Values = Mapping[str, Any]
