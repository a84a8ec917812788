from typing import Any

import pytest

from crm_events.cdc.wire import open_envelope
from crm_events.simulator.changes import Change
from crm_events.simulator.envelopes import pubsub, relay, wrap
from crm_events.simulator.schema import OBJECTS
from crm_events.simulator.texts import Diff
from tests.unit.crm_events.simulator.reading import chance

_TIME = "2026-10-06T07:20:09.000Z"


def a_change_of(fields: dict[str, Any], **values: Any) -> Change:
    header = {"entity": "Account", "change_type": "UPDATE", "record_ids": ["001Qy00000KdT1aIAF"], "sequence": 1}
    changed = values.pop("changed", tuple(fields))
    origin = {"transaction_key": "key", "user": "005Qy000001HbZpIAK", "origin": "", "committed_ms": 1_791_271_209_123}
    return Change(**{**header, **origin, **values}, fields=fields, changed=changed)


def sparse(change: Change) -> dict[str, Any]:
    payload: dict[str, Any] = relay(change, chance())["detail"]["payload"]
    return payload


def dense(change: Change) -> dict[str, Any]:
    payload: dict[str, Any] = pubsub(change, chance())["payload"]
    return payload


def test_relays_the_commit_in_whole_seconds_and_nineteen_digits() -> None:
    header = sparse(a_change_of({"Phone": "1"}))["ChangeEventHeader"]
    assert (header["commitTimestamp"], header["commitNumber"]) == (1_791_271_209_000, 1_791_271_209_123_417_203)


def test_relays_components_inside_their_compound() -> None:
    payload = sparse(a_change_of({"BillingCity": "Lund", "LastModifiedDate": _TIME}))
    assert payload["BillingAddress"] == {"City": "Lund"}
    assert payload["ChangeEventHeader"]["changedFields"] == ["BillingAddress.City", "LastModifiedDate"]


def test_relays_the_name_of_a_person_as_an_object() -> None:
    assert sparse(a_change_of({"FirstName": "Runa", "LastName": "Dahl"}))["Name"] == {
        "FirstName": "Runa",
        "LastName": "Dahl",
    }


def test_relays_a_diff_as_an_object() -> None:
    assert sparse(a_change_of({"Description": Diff("--- ")}))["Description"] == {"diff": "--- "}


def test_relays_only_what_changed() -> None:
    assert set(sparse(a_change_of({"Phone": None}))) == {"ChangeEventHeader", "Phone"}


def test_names_the_event_of_a_custom_object_without_its_c() -> None:
    change = a_change_of({}, entity="Work_Order_Line__c")
    assert relay(change, chance())["detail-type"] == "Work_Order_Line__ChangeEvent"


def test_adds_enriched_fields_without_calling_them_changed() -> None:
    payload = sparse(a_change_of({"Fax": "1"}, enriched={"Industry": "Music"}))
    assert (payload["Industry"], payload["ChangeEventHeader"]["changedFields"]) == ("Music", ["Fax"])


def test_spells_out_every_field_in_the_dense_shape() -> None:
    payload = dense(a_change_of({"Phone": "1", "LastName": "Dahl"}, entity="Contact"))
    names = {column.compound or column.name for column in OBJECTS["Contact"].event_columns}
    assert set(payload) == {"ChangeEventHeader", *names}
    assert payload["Email"] is None


@pytest.mark.parametrize(("field", "name"), [("Name", "Lindqvist"), ("LastName", {"LastName": "Lindqvist"})])
def test_spells_out_a_name_as_a_text_or_as_an_object(field: str, name: Any) -> None:
    found = dense(a_change_of({field: "Lindqvist"}))["Name"]
    assert name == found if isinstance(name, str) else name.items() <= found.items()


def test_spells_out_the_siblings_of_a_component_in_the_dense_shape() -> None:
    address = dense(a_change_of({"BillingCity": "Lund"}))["BillingAddress"]
    assert address["City"] == "Lund"
    assert address["Street"] is None


def test_lists_what_became_null_in_the_dense_shape() -> None:
    change = a_change_of({"Phone": None, "BillingPostalCode": None, "Fax": "1"})
    assert dense(change)["ChangeEventHeader"]["nulledFields"] == ["Phone", "BillingAddress.PostalCode"]


def test_writes_days_and_times_as_milliseconds_in_the_dense_shape() -> None:
    payload = dense(a_change_of({"CloseDate": "2026-10-06", "CreatedDate": _TIME}, entity="Opportunity"))
    assert (payload["CloseDate"], payload["CreatedDate"]) == (1_791_244_800_000, 1_791_271_209_000)


def test_names_a_diff_in_the_header_of_the_dense_shape() -> None:
    payload = dense(a_change_of({"Description": Diff("--- ")}))
    assert (payload["Description"], payload["ChangeEventHeader"]["diffFields"]) == ("--- ", ["Description"])


@pytest.mark.parametrize(
    "has_shape",
    [
        lambda event: "payload" in event.get("detail", {}),
        lambda event: "ChangeEventHeader" in event.get("detail", {}),
        lambda event: "event" in event,
        lambda event: "channel" in event,
        lambda event: "replayId" in event,
    ],
    ids=["relay", "appflow", "cometd", "bayeux", "pubsub"],
)
def test_wraps_in_every_shape(has_shape: Any) -> None:
    rng = chance()
    wrapped = [wrap(a_change_of({"Phone": "1"}), rng) for _ in range(500)]
    assert any(map(has_shape, wrapped))
    assert all(open_envelope(event) for event in wrapped)
