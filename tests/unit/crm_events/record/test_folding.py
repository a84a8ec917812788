"""What each type of event does to a record; UPDATE and SNAPSHOT have files of their own."""

from dataclasses import replace
from typing import Any

import pytest

from crm_events.cdc import RawEventError
from crm_events.domain.events import EventSource, NewEvent
from crm_events.record import EMPTY, RecordState, fold
from tests.builders import TIMESTAMP, a_confirmed_deletion, a_new_event, a_snapshot

CREATED = a_new_event("CREATE", {"Name": "Acme", "Phone": "1"})
GAPS = ["GAP_CREATE", "GAP_UPDATE", "GAP_DELETE", "GAP_UNDELETE"]


def folded(*events: NewEvent) -> RecordState:
    state = EMPTY
    for event in events:
        state = fold(state, event)
    return state


@pytest.mark.parametrize("change_type", ["CREATE", "UNDELETE"])
def test_a_whole_record_replaces_every_field(change_type: str) -> None:
    state = folded(CREATED, a_new_event(change_type, {"Name": "Nova"}))
    assert state.fields == {"Name": "Nova"}


@pytest.mark.parametrize("change_type", ["CREATE", "UNDELETE"])
def test_a_whole_record_makes_up_for_what_was_missed(change_type: str) -> None:
    missed = a_new_event("UPDATE", {}, changed=["Phone"])
    state = folded(missed, a_new_event("GAP_UPDATE"), a_new_event("DELETE"), a_new_event(change_type))
    assert (state.complete, state.is_deleted, state.stale, state.unknown) == (True, False, False, frozenset())
    assert not state.is_dirty


def test_a_whole_record_keeps_what_events_never_carry() -> None:
    row = a_snapshot({"Phone": "1", "LastActivityDate": "2026-10-01", "SystemModstamp": "2026-10-06T07:00:00Z"})
    state = folded(row, a_new_event("UNDELETE", {"Name": "Acme"}))
    assert state.fields == {
        "Name": "Acme",
        "LastActivityDate": "2026-10-01",
        "SystemModstamp": "2026-10-06T07:00:00Z",
    }


def test_a_whole_record_flattens_compounds() -> None:
    fields = {"Name": {"FirstName": "Runa"}, "BillingAddress": {"City": "Visby"}}
    assert folded(a_new_event("CREATE", fields)).fields == {"FirstName": "Runa", "BillingCity": "Visby"}


def test_a_whole_record_in_dense_form_is_the_same_as_in_sparse_form() -> None:
    sparse: dict[str, Any] = {"Name": "Acme", "BillingAddress": {"City": "Visby"}}
    dense = {**sparse, "Phone": None, "ShippingAddress": None, "BillingAddress": {"City": "Visby", "Street": None}}
    assert folded(a_new_event("CREATE", dense)) == folded(a_new_event("CREATE", sparse))


def test_a_diff_in_a_whole_record_is_never_taken_for_its_text() -> None:
    state = folded(a_new_event("CREATE", {"Name": "Acme", "Description": {"diff": "--- "}}))
    assert (state.fields, state.unknown) == ({"Name": "Acme"}, frozenset({"Description"}))


def test_a_deletion_leaves_the_last_known_values() -> None:
    state = folded(CREATED, a_new_event("DELETE", {"Name": None, "Industry": "enriched"}))
    assert state.is_deleted
    assert state.fields == {"Name": "Acme", "Phone": "1"}
    assert not state.is_dirty


def test_a_deletion_by_salesforce_does_not_make_up_for_what_was_missed() -> None:
    state = folded(
        CREATED, a_new_event("GAP_UPDATE"), a_new_event("UPDATE", {}, changed=["Fax"]), a_new_event("DELETE")
    )
    assert (state.stale, state.unknown, state.is_dirty) == (True, frozenset({"Fax"}), True)


def test_a_deletion_of_a_record_never_met_is_dirty() -> None:
    assert folded(a_new_event("DELETE")).is_dirty


@pytest.mark.parametrize("source", [EventSource.GAP_REPAIR, EventSource.RECONCILIATION])
def test_a_confirmed_deletion_leaves_nothing_to_read_again(source: EventSource) -> None:
    missed = a_new_event("UPDATE", {}, changed=["Fax"])
    state = folded(missed, a_new_event("GAP_DELETE"), a_confirmed_deletion(source=source))
    assert (state.is_deleted, state.complete, state.is_dirty) == (True, False, False)


def test_an_update_after_a_deletion_leaves_the_record_deleted_and_dirty() -> None:
    state = folded(CREATED, a_new_event("DELETE"), a_new_event("UPDATE", {"Phone": "2"}))
    assert (state.is_deleted, state.is_dirty) == (True, True)
    assert state.fields["Phone"] == "2"


def test_an_update_after_a_confirmed_deletion_makes_the_record_dirty_again() -> None:
    assert folded(a_confirmed_deletion(), a_new_event("UPDATE")).is_dirty


@pytest.mark.parametrize("gap", GAPS)
def test_a_gap_makes_the_record_dirty_and_changes_nothing_else(gap: str) -> None:
    before = folded(CREATED)
    after = fold(before, a_new_event(gap, {"Name": None, "Phone": None}, timestamp=TIMESTAMP + 9_000))
    assert after == replace(before, stale=True, event_count=2)
    assert after.is_dirty


def test_a_gap_leaves_a_deleted_record_deleted() -> None:
    assert folded(CREATED, a_new_event("DELETE"), a_new_event("GAP_UNDELETE")).is_deleted


def test_the_newest_commit_time_is_when_the_record_was_modified() -> None:
    later = a_new_event("UPDATE", timestamp=TIMESTAMP + 5_000)
    assert folded(CREATED, later, a_new_event("DELETE")).system_modified_ms == TIMESTAMP + 5_000


def test_a_record_known_from_gaps_alone_was_modified_at_no_known_time() -> None:
    assert folded(a_new_event("GAP_CREATE")).system_modified_ms is None


def test_counts_every_event() -> None:
    events = [CREATED, a_new_event(), a_new_event("GAP_UPDATE"), a_snapshot(), a_new_event("DELETE")]
    assert folded(*events).event_count == len(events)


def test_does_not_touch_the_state_it_was_given() -> None:
    state = folded(CREATED)
    fold(state, a_new_event("UPDATE", {"Phone": "2"}, changed=["Phone", "Fax"]))
    assert state == folded(CREATED)


def test_says_so_when_a_recorded_event_cannot_be_read_any_more() -> None:
    with pytest.raises(RawEventError):
        fold(EMPTY, replace(CREATED, raw="{"))
