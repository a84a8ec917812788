import json
from decimal import Decimal

import pytest

from crm_events.cdc import RawEventError, read_change
from tests.builders import a_change, a_payload


def test_reads_what_changed_and_the_body_without_its_header() -> None:
    change = read_change(json.dumps(a_change(fields={"Phone": "1", "Fax": None}, changed=["Phone"], nulled=["Fax"])))
    assert (change.changed, change.nulled, change.body) == (["Phone"], ["Fax"], {"Phone": "1", "Fax": None})


def test_lists_that_are_missing_are_empty() -> None:
    change = read_change(json.dumps(a_change("CREATE")))
    assert (change.changed, change.nulled) == ([], [])


def test_reads_nulled_fields_in_both_spellings() -> None:
    payload = a_payload()
    payload["ChangeEventHeader"]["nulledfields"] = ["Fax"]
    assert read_change(json.dumps(payload)).nulled == ["Fax"]


def test_keeps_numbers_exact() -> None:
    raw = json.dumps(a_payload(fields={"Amount": 0})).replace('"Amount": 0', '"Amount": 1234567890.10')
    assert str(read_change(raw).body["Amount"]) == "1234567890.10"


def test_unwraps_avro_unions_in_fields_and_components() -> None:
    address = {"com.sforce.eventbus.Address": {"PostalCode": {"string": "94105"}, "Latitude": {"double": 1.5}}}
    fields = {"BillingAddress": address, "Employees": {"int": 7}, "Tags": {"array": [{"string": "a"}]}}
    assert read_change(json.dumps(a_payload(fields=fields))).body == {
        "BillingAddress": {"PostalCode": "94105", "Latitude": Decimal("1.5")},
        "Employees": 7,
        "Tags": ["a"],
    }


def test_a_compound_with_a_single_component_is_no_union() -> None:
    fields = {"BillingAddress": {"City": "Visby"}}
    assert read_change(json.dumps(a_payload(fields=fields))).body == fields


def test_a_text_the_header_calls_a_diff_becomes_one() -> None:
    fields = {"Description": "@@ garbled", "Phone": "1"}
    change = read_change(json.dumps(a_payload(fields=fields, diffs=["Description"])))
    assert change.body == {"Description": {"diff": "@@ garbled"}, "Phone": "1"}


@pytest.mark.parametrize(
    "raw", ["", "[]", "{}", '{"ChangeEventHeader": 1}', '{"ChangeEventHeader": {"changedFields": 1}}']
)
def test_says_so_when_a_recorded_text_is_no_change_any_more(raw: str) -> None:
    with pytest.raises(RawEventError, match="cannot be read any more"):
        read_change(raw)
