"""What the fold makes of each example event, after the events it needs before it."""

from decimal import Decimal
from typing import Any

import pytest

from crm_events.cdc import parse_item, split_body
from crm_events.domain.events import NewEvent
from crm_events.record import EMPTY, RecordState, fold
from tests.builders import a_new_event, a_snapshot
from tests.examples import an_example, csv_rows

ACCOUNT = {
    "Name": "Lindqvist Marine AB",
    "Phone": "+46 8 555 0100",
    "Industry": "Marine",
    "BillingAddress": {"City": "Visby"},
}
CREATED = a_new_event("CREATE", ACCOUNT)
SUMMARY = [
    "Line one of the invented account summary.",
    "Second paragraph stays exactly the same.",
    "Renewal owner: Dana.",
    "Tail paragraph.",
]


def example(name: str) -> NewEvent:
    (item,) = split_body(an_example(name))
    return parse_item(item, "delivery-1", 0).events[0]


def folded(*events: NewEvent) -> RecordState:
    state = EMPTY
    for event in events:
        state = fold(state, event)
    return state


def test_01_creates_the_whole_record() -> None:
    state = folded(example("01-"))
    assert (state.complete, state.is_dirty, state.system_modified_ms) == (True, False, 1791271205000)
    assert len(state.fields) == 17
    assert [state.fields[name] for name in ("BillingStreet", "BillingCity", "Discount__c", "Key_Account__c")] == [
        "Kajgatan 9",
        "Visby",
        Decimal("12.5"),
        True,
    ]


def test_02_patches_the_components_it_names() -> None:
    before = {
        "Name": {"FirstName": "Ada", "LastName": "Okafor"},
        "MailingAddress": {"City": "Visby", "PostalCode": "1"},
    }
    state = folded(a_new_event("CREATE", before), example("02-"))
    assert state.fields == {
        "FirstName": "Ada",
        "LastName": "Okafor-Lind",
        "MailingStreet": "Tegelgatan 3",
        "MailingCity": "Lund",
        "MailingPostalCode": "1",
        "LastModifiedDate": "2026-10-06T07:20:36.000Z",
    }


def test_03_clears_what_is_null_and_keeps_what_is_missing() -> None:
    state = folded(example("01-"), example("03-"))
    assert [state.fields[name] for name in ("Phone", "BillingPostalCode", "BillingCity")] == [None, None, "Visby"]
    assert state.fields["LastModifiedById"] == "005Qy000001HbZqIAK"


def test_04_patches_the_long_text() -> None:
    state = folded(a_new_event("CREATE", {"Description": "\r\n".join(SUMMARY)}), example("04-"))
    assert state.fields["Description"] == "\r\n".join([*SUMMARY[:2], "Renewal owner: Imre (since March).", SUMMARY[3]])
    assert not state.is_dirty


def test_04_does_not_fit_a_record_never_met() -> None:
    state = folded(example("04-"))
    assert ("Description" in state.fields, state.unknown) == (False, frozenset({"Description"}))


def test_05_changes_each_record() -> None:
    (item,) = split_body(an_example("05-"))
    states = [folded(CREATED, event) for event in parse_item(item, "delivery-1", 0).events]
    assert [state.fields["Industry"] for state in states] == ["Shipping"] * 3


@pytest.mark.parametrize("name", ["06-", "15b-"])
def test_06_and_15b_leave_a_tombstone_with_the_last_known_values(name: str) -> None:
    state = folded(CREATED, example(name))
    assert (state.is_deleted, state.is_dirty) == (True, False)
    assert state.fields == folded(CREATED).fields


def test_07_replaces_the_record_and_clears_the_tombstone() -> None:
    state = folded(CREATED, example("06-"), example("07-"))
    assert (state.is_deleted, state.complete) == (False, True)
    assert "Phone" not in state.fields
    assert state.fields["Industry"] == "Shipping"


@pytest.mark.parametrize("name", ["08-", "09-", "10-", "11-", "20-"])
def test_gaps_keep_the_values_and_ask_for_the_record_to_be_read_again(name: str) -> None:
    before = folded(CREATED)
    after = fold(before, example(name))
    assert (after.fields, after.is_deleted, after.is_dirty) == (before.fields, False, True)
    assert after.system_modified_ms == before.system_modified_ms


def test_14_has_the_columns_of_a_custom_geolocation() -> None:
    assert folded(example("14-")).fields == {
        "Status__c": "Done",
        "Crew__c": "Ana;Bo;Cy",
        "Site__Latitude__s": Decimal("57.6348"),
        "Site__Longitude__s": Decimal("18.2948"),
        "LastModifiedDate": "2026-10-06T07:24:25.000Z",
    }


def test_15_takes_no_enriched_value() -> None:
    state = folded(CREATED, example("15-"))
    assert (state.fields["Fax"], state.fields["Industry"]) == ("+46 8 555 0199", "Marine")
    assert "External_Key__c" not in state.fields


@pytest.mark.parametrize(
    ("name", "some"),
    [
        ("16a-", {"Name": "Ferdinand Optik"}),
        ("16b-", {"AccountId": "001Qy00000KdT1bIAF", "FirstName": "Mei", "LastName": "Ferdinand"}),
        ("16c-", {"StageName": "Prospecting", "Probability": 10, "CloseDate": "2026-12-31", "IsClosed": False}),
        ("16d-", {"IsConverted": True, "ConvertedDate": "2026-10-06", "ConvertedAccountId": "001Qy00000KdT1bIAF"}),
    ],
)
def test_16_brings_every_side_of_a_lead_conversion(name: str, some: dict[str, Any]) -> None:
    state = folded(example(name))
    assert some.items() <= dict(state.fields).items()
    assert state.complete == (name != "16d-")


def test_17_has_the_parts_of_a_person_accounts_name() -> None:
    state = folded(example("17-"))
    assert [state.fields[name] for name in ("Salutation", "FirstName", "LastName")] == ["Ms.", "Runa", "Dahl"]
    assert "Name" not in state.fields


def test_18_changes_what_it_names() -> None:
    assert folded(CREATED, example("18-")).fields["Rating"] == "Warm"


def test_19b_takes_no_null_that_is_not_named() -> None:
    state = folded(CREATED, example("19b-"))
    assert state.fields == {
        "Name": "Lindqvist Marine AB",
        "Phone": None,
        "Industry": "Marine",
        "BillingCity": "Slite",
        "Rating": "Hot",
        "LastModifiedDate": 1791271565000,
    }


def test_21_is_a_full_row() -> None:
    (item,) = split_body(an_example("21-"))
    state = folded(a_new_event("GAP_UPDATE"), a_snapshot(item.value))
    assert (state.fields["BillingCity"], state.fields["Phone"], state.is_dirty) == ("Slite", None, False)
    assert state.system_modified_ms == 1791271565000


def test_22_has_rows_with_empty_and_broken_texts() -> None:
    living, deleted = (folded(a_snapshot(row)) for row in csv_rows("22-"))
    assert (living.fields["Phone"], living.is_deleted) == (None, False)
    assert (deleted.fields["Name"].split(), deleted.is_deleted) == (["Gotska", "Varv"], True)
