"""The fold: a record's state and its next event give its next state.

Facts about what each type of change carries: Change Data Capture guide, cdc_event_fields_body and cdc_other_events_gap.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from crm_events.cdc.change import read_change
from crm_events.cdc.names import flatten, may_be_compound
from crm_events.cdc.snapshot import read_snapshot
from crm_events.cdc.times import epoch_ms
from crm_events.domain.events import EventSource, EventType, NewEvent
from crm_events.record.draft import Draft
from crm_events.record.state import RecordState

# Derived values that are not stored on the record, so that no event ever carries them (cdc_message_structure): what a
# row said of them stays.
NEVER_CARRIED = frozenset(
    {
        "FullPhotoUrl",
        "HasOpenActivity",
        "HasOverdueTask",
        "LastActivityDate",
        "LastReferencedDate",
        "LastViewedDate",
        "PhotoUrl",
        "SmallPhotoUrl",
        "SystemModstamp",
    }
)
# What a row says about the record beside its fields; the state has its own place for both.
_NOT_FIELDS = frozenset({"Id", "IsDeleted"})


def fold(state: RecordState, event: NewEvent) -> RecordState:
    """Return the state after an event. Events fold by position; what arrives late is folded from an earlier state.

    :raises RawEventError: the event's raw text is not what ``parse_item`` or ``snapshot_raw`` made of it.
    """
    match event.event_type:
        case EventType.UPDATE:
            return _update(state, event)
        case EventType.CREATE | EventType.UNDELETE:
            return _whole(state, event)
        case EventType.DELETE:
            return _delete(state, event)
        case EventType.SNAPSHOT:
            return _snapshot(state, event)
        case _:
            # Of a GAP event: its body is empty or all nulls, and none of them is true.
            return replace(state, stale=True, event_count=state.event_count + 1)


def _whole(state: RecordState, event: NewEvent) -> RecordState:
    carried = flatten(read_change(event.raw).body)
    # A diff has nothing to apply to in a record that begins here. Compounds are flat by now.
    diffs = frozenset(name for name, value in carried.items() if isinstance(value, dict))
    # The sparse form leaves nulls out, the dense one spells them out: one state for both.
    fields = {name: value for name, value in carried.items() if value is not None and name not in diffs}
    fields.update((name, state.fields[name]) for name in NEVER_CARRIED & state.fields.keys())
    return RecordState(
        fields=fields,
        complete=True,
        unknown=diffs,
        system_modified_ms=_modified_by(state, event),
        event_count=state.event_count + 1,
    )


def _update(state: RecordState, event: NewEvent) -> RecordState:
    change = read_change(event.raw)
    draft = Draft(state.fields, state.unknown)
    draft.patch(change)
    # After a DELETE it says that something is not as it seems; without any name, that something changed.
    stale = state.stale or state.is_deleted or not (change.changed or change.nulled)
    # Most events come here: ``replace`` would take longer than the change itself.
    return RecordState(
        fields=draft.fields,
        is_deleted=state.is_deleted,
        complete=state.complete,
        stale=stale,
        unknown=frozenset(draft.unknown),
        confirmed_gone=state.confirmed_gone,
        system_modified_ms=_modified_by(state, event),
        event_count=state.event_count + 1,
    )


def _delete(state: RecordState, event: NewEvent) -> RecordState:
    deleted = replace(
        state,
        is_deleted=True,
        system_modified_ms=_modified_by(state, event),
        event_count=state.event_count + 1,
    )
    if event.source is EventSource.CDC:
        return deleted
    # Ours: Salesforce was asked, so there is nothing left to read again.
    return replace(deleted, stale=False, unknown=frozenset(), confirmed_gone=True)


def _snapshot(state: RecordState, event: NewEvent) -> RecordState:
    snapshot = read_snapshot(event.raw)
    row = snapshot.row
    is_deleted = _is_deleted(row.get("IsDeleted"), default=False if snapshot.full else state.is_deleted)
    return replace(
        state,
        fields={**state.fields, **_row_fields(row, state.fields)},
        is_deleted=is_deleted,
        complete=state.complete or snapshot.full,
        stale=state.stale and not snapshot.full,
        unknown=frozenset() if snapshot.full else state.unknown - row.keys(),
        confirmed_gone=state.confirmed_gone and is_deleted and not snapshot.full,
        system_modified_ms=_newest(state.system_modified_ms, epoch_ms(row.get("SystemModstamp"))),
        event_count=state.event_count + 1,
    )


def _row_fields(row: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    # REST has compounds beside their columns; a null one is no column of its own.
    return {
        name: value
        for name, value in row.items()
        if name not in _NOT_FIELDS and (value is not None or name in known or not may_be_compound(name))
    }


def _is_deleted(value: Any, default: bool) -> bool:
    """Read a checkbox: REST has a boolean, Bulk a text."""
    return default if value is None else value in (True, "true", "True", "TRUE")


def _modified_by(state: RecordState, event: NewEvent) -> int:
    return max(state.system_modified_ms or 0, event.order_key.commit_timestamp)


def _newest(first: int | None, second: int | None) -> int | None:
    return second if first is None else max(first, second or first)
