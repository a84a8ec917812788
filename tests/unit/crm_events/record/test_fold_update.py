import hashlib
from typing import Any

import pytest

from crm_events.domain.events import NewEvent
from crm_events.record import EMPTY, RecordState, fold
from tests.builders import a_new_event, a_payload, a_snapshot

ADDRESS = {"BillingStreet": "Kajgatan 9", "BillingCity": "Visby"}
COMPLETE = fold(
    EMPTY, a_new_event("CREATE", {"Phone": "1", "BillingAddress": {"Street": "Kajgatan 9", "City": "Visby"}})
)


def update(fields: dict[str, Any], changed: list[str], state: RecordState = COMPLETE, **header: Any) -> RecordState:
    return fold(state, a_new_event("UPDATE", fields, changed=changed, **header))


def a_diff(new: str, hunk: str) -> str:
    return f"--- \n+++ {hashlib.sha256(new.encode()).hexdigest()}\n{hunk}"


def test_keeps_fields_a_later_event_does_not_mention() -> None:
    assert update({"Fax": "2"}, ["Fax"]).fields == {"Phone": "1", "Fax": "2", **ADDRESS}


def test_a_first_update_is_not_the_whole_record() -> None:
    state = update({"Fax": "2"}, ["Fax"], state=EMPTY)
    assert (state.fields, state.complete, state.is_dirty) == ({"Fax": "2"}, False, True)


def test_an_update_of_a_complete_record_leaves_it_clean() -> None:
    assert not update({"Fax": "2"}, ["Fax"]).is_dirty


def test_ignores_values_that_did_not_change() -> None:
    assert update({"Fax": "2", "Phone": "enriched", "Industry": "enriched"}, ["Fax"]).fields["Phone"] == "1"
    assert "Industry" not in update({"Fax": "2", "Industry": "enriched"}, ["Fax"]).fields


def test_ignores_the_nulls_of_the_dense_form() -> None:
    dense = {"Fax": "2", "Phone": None, "BillingAddress": {"Street": None, "City": None}}
    assert update(dense, ["Fax"]).fields == {"Phone": "1", "Fax": "2", **ADDRESS}


def test_a_null_that_changed_clears_the_field() -> None:
    assert update({"Phone": None}, ["Phone"]).fields["Phone"] is None


@pytest.mark.parametrize("fields", [{}, {"Phone": None}, {"Phone": "looked up at delivery"}])
def test_a_nulled_field_is_null_whatever_the_body_says(fields: dict[str, Any]) -> None:
    state = update(fields, ["Phone"], nulled=["Phone"])
    assert state.fields["Phone"] is None
    assert not state.is_dirty


def test_a_field_that_only_the_nulled_list_names_is_null() -> None:
    assert update({"Phone": "x"}, ["Fax"], nulled=["Phone"]).fields["Phone"] is None


def test_a_changed_field_without_a_value_is_unknown_and_keeps_its_old_one() -> None:
    state = update({}, ["Phone"])
    assert (state.fields["Phone"], state.unknown, state.is_dirty) == ("1", frozenset({"Phone"}), True)


@pytest.mark.parametrize(
    ("fields", "header"), [({"Phone": "2"}, {}), ({"Phone": None}, {}), ({}, {"nulled": ["Phone"]})]
)
def test_a_later_value_ends_the_uncertainty(fields: dict[str, Any], header: dict[str, Any]) -> None:
    state = update(fields, ["Phone"], state=update({}, ["Phone"]), **header)
    assert state.unknown == frozenset()


def test_a_change_of_another_field_does_not_end_the_uncertainty() -> None:
    assert update({"Fax": "2"}, ["Fax"], state=update({}, ["Phone"])).unknown == {"Phone"}


def test_a_change_that_names_no_field_makes_the_record_dirty() -> None:
    state = update({"Phone": "2"}, [])
    assert state.fields == COMPLETE.fields
    assert state.is_dirty


def test_a_component_is_a_patch() -> None:
    state = update({"BillingAddress": {"City": "Lund"}}, ["BillingAddress.City"])
    assert state.fields == {"Phone": "1", "BillingStreet": "Kajgatan 9", "BillingCity": "Lund"}


def test_a_component_without_a_value_is_unknown() -> None:
    state = update({"BillingAddress": {"Street": "x"}}, ["BillingAddress.City"])
    assert (state.fields["BillingCity"], state.unknown) == ("Visby", frozenset({"BillingCity"}))


def test_a_component_of_a_compound_that_is_null_is_null() -> None:
    assert update({"BillingAddress": None}, ["BillingAddress.City"]).fields["BillingCity"] is None


@pytest.mark.parametrize("nulled", ["BillingAddress.City", "BillingAddress"])
def test_a_component_is_null_where_it_or_its_compound_was_nulled(nulled: str) -> None:
    state = update({}, ["BillingAddress.City"], nulled=[nulled])
    assert state.fields["BillingCity"] is None
    assert not state.is_dirty


def test_a_whole_compound_sets_the_components_it_has() -> None:
    state = update({"BillingAddress": {"Street": None, "City": "Lund"}}, ["BillingAddress"])
    assert state.fields == {"Phone": "1", "BillingStreet": None, "BillingCity": "Lund"}
    assert not state.is_dirty


def test_a_component_that_a_whole_compound_leaves_out_is_unknown() -> None:
    state = update({"BillingAddress": {"City": "Lund"}}, ["BillingAddress"])
    assert state.fields["BillingStreet"] == "Kajgatan 9"
    assert state.unknown == {"BillingStreet"}


def test_a_null_component_that_a_whole_compound_leaves_out_stays_null() -> None:
    cleared = update({"BillingAddress": {"Street": None}}, ["BillingAddress.Street"])
    assert not update({"BillingAddress": {"City": "Lund"}}, ["BillingAddress"], state=cleared).is_dirty


@pytest.mark.parametrize(("fields", "header"), [({"BillingAddress": None}, {}), ({}, {"nulled": ["BillingAddress"]})])
def test_a_null_compound_clears_every_component(fields: dict[str, Any], header: dict[str, Any]) -> None:
    state = update(fields, ["BillingAddress"], **header)
    assert state.fields == {"Phone": "1", "BillingStreet": None, "BillingCity": None}
    assert not state.is_dirty


def test_a_whole_compound_without_a_value_is_unknown_until_it_comes() -> None:
    unknown = update({}, ["BillingAddress"])
    assert unknown.unknown == {"BillingAddress"}
    whole = {"BillingAddress": {"Street": "x", "City": "y"}}
    assert update(whole, ["BillingAddress"], state=unknown).unknown == frozenset()


def test_a_null_compound_ends_the_uncertainty_about_its_components() -> None:
    unknown = update({}, ["BillingAddress.City", "BillingAddress.Country", "BillingAddress"])
    assert update({"BillingAddress": None}, ["BillingAddress"], state=unknown).unknown == frozenset()


def test_a_null_compound_never_met_is_no_field() -> None:
    assert update({"ShippingAddress": None}, ["ShippingAddress"]).fields == COMPLETE.fields


def test_a_null_name_known_by_its_parts_is_null() -> None:
    person = fold(EMPTY, a_new_event("CREATE", {"Name": {"LastName": "Dahl"}}))
    assert update({"Name": None}, ["Name"], state=person).fields == {"Name": None, "LastName": None}


def test_a_null_name_clears_its_parts_and_itself() -> None:
    person = fold(EMPTY, a_snapshot({"Name": "Runa Dahl", "FirstName": "Runa", "LastName": "Dahl"}))
    assert update({"Name": None}, ["Name"], state=person).fields == {"Name": None, "FirstName": None, "LastName": None}


def test_a_name_may_be_a_text() -> None:
    assert update({"Name": "Gotska Varv"}, ["Name"]).fields["Name"] == "Gotska Varv"


def test_a_name_may_have_parts() -> None:
    person = fold(EMPTY, a_new_event("CREATE", {"Name": {"FirstName": "Mei", "LastName": "Okafor"}}))
    state = update({"Name": {"LastName": "Lind"}}, ["Name.LastName"], state=person)
    assert state.fields == {"FirstName": "Mei", "LastName": "Lind"}


def test_a_custom_geolocation_gets_the_names_rest_has() -> None:
    state = update({"Site__c": {"Latitude": 57, "Longitude": 18}}, ["Site__c"], state=EMPTY)
    assert state.fields == {"Site__Latitude__s": 57, "Site__Longitude__s": 18}


def test_a_compound_nobody_knows_keeps_dotted_names() -> None:
    state = update({"Odd": {"One": 1, "Two": 2}}, ["Odd.One", "Odd"], state=EMPTY)
    assert state.fields == {"Odd.One": 1, "Odd.Two": 2}


def test_the_components_of_an_avro_union_are_read() -> None:
    payload = a_payload(fields={"BillingAddress": {"com.sforce.eventbus.Address": {"City": {"string": "Lund"}}}})
    fields = {name: value for name, value in payload.items() if name != "ChangeEventHeader"}
    assert update(fields, ["BillingAddress.City"]).fields["BillingCity"] == "Lund"


OLD_TEXT, NEW_TEXT = "one\r\ntwo\r\nthree", "one\r\n2\r\nthree"
DIFF = a_diff(NEW_TEXT, "@@ -2,1 +2,1 @@\n-two\n+2")
WITH_TEXT = fold(EMPTY, a_new_event("CREATE", {"Description": OLD_TEXT}))


def with_diff(state: RecordState, value: Any = DIFF, **header: Any) -> RecordState:
    return update({"Description": value}, ["Description"], state=state, **header)


@pytest.mark.parametrize(
    ("value", "header"),
    [(DIFF, {"diffs": ["Description"]}), (DIFF, {}), ({"diff": DIFF}, {})],
    ids=["list", "text", "object"],
)
def test_applies_a_diff_in_every_form(value: Any, header: dict[str, Any]) -> None:
    state = with_diff(WITH_TEXT, value, **header)
    assert state.fields["Description"] == NEW_TEXT
    assert not state.is_dirty


def test_a_diff_that_does_not_fit_keeps_the_old_value_and_makes_it_unknown() -> None:
    state = with_diff(update({"Description": "rewritten"}, ["Description"], state=WITH_TEXT))
    assert (state.fields["Description"], state.unknown, state.is_dirty) == (
        "rewritten",
        frozenset({"Description"}),
        True,
    )


@pytest.mark.parametrize("value", [{"diff": None}, {"diff": 7}, {"diff": "garbled"}, {"diff": DIFF[:90]}])
def test_a_garbled_diff_is_never_taken_for_the_value(value: Any) -> None:
    state = with_diff(WITH_TEXT, value)
    assert (state.fields["Description"], state.unknown) == (OLD_TEXT, frozenset({"Description"}))


def test_a_diff_without_a_text_to_apply_to_makes_it_unknown() -> None:
    state = with_diff(COMPLETE)
    assert "Description" not in state.fields
    assert state.unknown == {"Description"}


def test_a_diff_of_the_text_that_is_there_already_changes_nothing() -> None:
    there = update({"Description": NEW_TEXT}, ["Description"], state=WITH_TEXT)
    assert with_diff(there).fields["Description"] == NEW_TEXT


def test_a_later_diff_with_a_matching_hash_ends_the_uncertainty() -> None:
    unknown = update({}, ["Description"], state=WITH_TEXT)
    assert with_diff(unknown).unknown == frozenset()


def test_a_diff_that_did_not_change_is_ignored() -> None:
    event: NewEvent = a_new_event("UPDATE", {"Description": DIFF, "Fax": "2"}, changed=["Fax"])
    assert fold(WITH_TEXT, event).fields["Description"] == OLD_TEXT
