from decimal import Decimal
from typing import Any

import pytest

from crm_events.domain.events import NewEvent
from crm_events.record import EMPTY, RecordState, fold
from tests.builders import TIMESTAMP, a_confirmed_deletion, a_new_event, a_snapshot


def folded(*events: NewEvent) -> RecordState:
    state = EMPTY
    for event in events:
        state = fold(state, event)
    return state


CREATED = a_new_event("CREATE", {"Name": "Acme", "Phone": "1"})


def test_sets_its_columns_nulls_included_and_keeps_the_others() -> None:
    state = folded(CREATED, a_snapshot({"Phone": None, "Fax": "2"}))
    assert state.fields == {"Name": "Acme", "Phone": None, "Fax": "2"}


def test_the_empty_text_of_a_csv_file_clears_a_field() -> None:
    assert folded(CREATED, a_snapshot({"Phone": ""})).fields["Phone"] is None


def test_an_id_and_a_mark_of_deletion_are_no_fields() -> None:
    assert folded(a_snapshot({"Id": "001Qy00000KdT1aIAF", "IsDeleted": False, "Name": "x"})).fields == {"Name": "x"}


def test_a_null_compound_is_no_column() -> None:
    row = {"BillingAddress": None, "BillingCity": None}
    assert folded(a_snapshot(row)).fields == {"BillingCity": None}


def test_a_full_row_makes_up_for_what_was_missed() -> None:
    missed = a_new_event("UPDATE", {}, changed=["Phone"])
    state = folded(missed, a_new_event("GAP_UPDATE"), a_snapshot({"Phone": "2"}))
    assert (state.complete, state.stale, state.unknown, state.is_dirty) == (True, False, frozenset(), False)


def test_a_partial_row_makes_up_for_the_columns_it_has() -> None:
    missed = a_new_event("UPDATE", {}, changed=["Phone", "Fax"])
    state = folded(CREATED, missed, a_snapshot({"Phone": "2"}, full=False))
    assert (state.fields["Phone"], state.unknown) == ("2", frozenset({"Fax"}))


def test_a_partial_row_neither_completes_a_record_nor_fills_a_gap() -> None:
    state = folded(a_new_event("GAP_UPDATE"), a_snapshot({"Phone": "2"}, full=False))
    assert (state.complete, state.stale) == (False, True)


def test_a_partial_row_leaves_a_complete_record_complete() -> None:
    assert folded(CREATED, a_snapshot({"Phone": "2"}, full=False)).complete


@pytest.mark.parametrize(
    ("value", "expected"), [(True, True), ("true", True), (False, False), ("false", False), ("", False), (None, False)]
)
@pytest.mark.parametrize("before", [[], [CREATED, a_new_event("DELETE")]])
def test_a_full_row_says_whether_the_record_is_deleted(before: list[NewEvent], value: Any, expected: bool) -> None:
    assert folded(*before, a_snapshot({"IsDeleted": value})).is_deleted is expected


def test_a_full_row_that_does_not_say_is_of_a_living_record() -> None:
    assert not folded(CREATED, a_new_event("DELETE"), a_snapshot({"Name": "x"})).is_deleted


def test_a_partial_row_that_does_not_say_leaves_a_record_deleted() -> None:
    assert folded(CREATED, a_new_event("DELETE"), a_snapshot({"Name": "x"}, full=False)).is_deleted


def test_a_partial_row_may_say_that_a_record_lives() -> None:
    state = folded(a_confirmed_deletion(), a_snapshot({"IsDeleted": False}, full=False))
    assert (state.is_deleted, state.confirmed_gone, state.is_dirty) == (False, False, True)


@pytest.mark.parametrize("stamp", ["2026-10-06T07:26:05.000+0000", "2026-10-06T07:26:05Z", 1_791_271_565_000])
def test_its_own_stamp_says_when_the_record_was_modified(stamp: Any) -> None:
    assert folded(CREATED, a_snapshot({"SystemModstamp": stamp})).system_modified_ms == 1_791_271_565_000


@pytest.mark.parametrize("stamp", ["2020-01-01T00:00:00Z", None, "nonsense"])
def test_a_row_never_turns_the_clock_back(stamp: Any) -> None:
    assert folded(CREATED, a_snapshot({"SystemModstamp": stamp})).system_modified_ms == TIMESTAMP


def test_a_row_without_a_stamp_was_modified_at_no_known_time() -> None:
    assert folded(a_snapshot({"Name": "x"})).system_modified_ms is None


def test_keeps_the_digits_of_an_amount() -> None:
    assert str(folded(a_snapshot({"Amount": Decimal("12.50")})).fields["Amount"]) == "12.50"


def test_an_event_and_a_row_of_one_record_meet() -> None:
    event = a_new_event(
        "CREATE",
        {
            "Name": {"FirstName": "Mei", "LastName": "Lind"},
            "MailingAddress": {"City": "Lund", "Country": "Sweden"},
            "Site__c": {"Latitude": 57, "Longitude": 18},
        },
    )
    row = {
        "attributes": {"type": "Contact"},
        "FirstName": "Mei",
        "LastName": "Lind",
        "MailingCity": "Lund",
        "MailingCountry": "Sweden",
        "MailingAddress": {"city": "Lund", "country": "Sweden"},
        "Site__Latitude__s": 57,
        "Site__Longitude__s": 18,
        "Site__c": {"latitude": 57, "longitude": 18},
    }
    assert folded(event).fields == folded(a_snapshot(row)).fields
