"""What a row of Salesforce says that the record, as folded from the log, does not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from crm_events.cdc.names import may_be_compound
from crm_events.cdc.times import epoch_ms
from crm_events.record.state import RecordState

# When a user last looked at the record: it says nothing about the record, and every look would be a difference.
_UNREMARKABLE = frozenset({"Id", "IsDeleted", "LastReferencedDate", "LastViewedDate", "SystemModstamp"})


@dataclass(frozen=True, slots=True)
class ColumnDifference:
    """A column whose value in the log is not the one in Salesforce; ``None`` is null or never told."""

    column: str
    in_log: Any
    in_salesforce: Any


def row_differences(
    state: RecordState, row: Mapping[str, Any], types: Mapping[str, str]
) -> tuple[ColumnDifference, ...]:
    """Return in which columns of the row the folded record differs, in the row's order.

    ``types`` are Salesforce's types of the columns by REST name (``datetime``, ``date`` ...): the same point in time
    has other forms in an event than in a row. ``IsDeleted`` counts, ``SystemModstamp`` only if it is later than any
    change the log knows of.
    """
    found = [
        ColumnDifference(name, state.fields.get(name), value)
        for name, value in row.items()
        if name not in _UNREMARKABLE and _is_column(name, value, state)
        if not same_value(state.fields.get(name), value, types.get(name, ""))
    ]
    if "IsDeleted" in row and (row["IsDeleted"] in (True, "true")) is not state.is_deleted:
        found.append(ColumnDifference("IsDeleted", state.is_deleted, not state.is_deleted))
    modified = epoch_ms(row.get("SystemModstamp"))
    if modified is not None and modified > (state.system_modified_ms or 0):
        found.append(ColumnDifference("SystemModstamp", state.system_modified_ms, row["SystemModstamp"]))
    return tuple(found)


def _is_column(name: str, value: Any, state: RecordState) -> bool:
    # As the fold sees it: REST has compounds beside their columns, and a null one is no column of its own.
    if isinstance(value, dict) or name == "attributes" or name.endswith("__r"):
        return False
    return value is not None or name in state.fields or not may_be_compound(name)


def same_value(one: Any, other: Any, salesforce_type: str = "") -> bool:
    """Say whether two values of a column are the same in Salesforce, whatever form they came in.

    An empty text is null. Numbers compare by value, points in time by the millisecond, dates by the day.
    """
    return bool(_canonical(one, salesforce_type) == _canonical(other, salesforce_type))


def _canonical(value: Any, salesforce_type: str) -> Any:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return value
    if salesforce_type == "datetime":
        moment = epoch_ms(value)
        return value if moment is None else moment
    if salesforce_type == "date":
        return _date(value)
    if isinstance(value, int | Decimal):
        return Decimal(value)
    return value


def _date(value: Any) -> Any:
    # Pub/Sub sends midnight UTC in epoch milliseconds.
    if isinstance(value, str):
        return value[:10]
    moment = epoch_ms(value)
    return value if moment is None else datetime.fromtimestamp(moment / 1000, UTC).date().isoformat()
