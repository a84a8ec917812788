import json
from typing import Any

import pytest

from crm_events.simulator.org import SimulatedOrg
from tests.integration.simulator.client import VERSION, OrgClient


def created(client: OrgClient, entity: str = "Account", **values: Any) -> str:
    answer = client.call("POST", f"sobjects/{entity}", json=values or {"Name": "Lindqvist Marine AB"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def told(org: SimulatedOrg) -> list[dict[str, Any]]:
    """Take what waits on the feed, as payloads."""
    due = org.feed.due(100, 10**6)
    org.feed.done([one.number for one in due])
    return [json.loads(one.event)["detail"]["payload"] for one in due]


def test_retrieves_a_record_in_the_forms_of_rest(client: OrgClient) -> None:
    record_id = created(client, Name="Lindqvist", BillingCity="Visby", BillingCountryCode="SE")
    row = client.get(f"sobjects/Account/{record_id[:15]}")
    assert row["attributes"] == {"type": "Account", "url": f"/services/data/v{VERSION}/sobjects/Account/{record_id}"}
    assert (row["CreatedDate"], row["SystemModstamp"]) == ("2026-10-06T07:20:09.000+0000",) * 2
    assert (row["IsDeleted"], row["Phone"], row["BillingCity"]) == (False, None, "Visby")
    assert row["BillingAddress"] == {
        "city": "Visby",
        "country": None,
        "countryCode": "SE",
        "geocodeAccuracy": None,
        "latitude": None,
        "longitude": None,
        "postalCode": None,
        "state": None,
        "street": None,
    }


def test_retrieves_only_the_fields_asked_for(client: OrgClient) -> None:
    record_id = created(client)
    row = client.get(f"sobjects/Account/{record_id}", fields="Name,Id")
    assert set(row) == {"attributes", "Name", "Id"}


def test_creates_a_record_and_tells_of_it(org: SimulatedOrg, client: OrgClient) -> None:
    record_id = created(client, Name=" Lindqvist ", BillingCity="Visby", Phone="")
    (payload,) = told(org)
    assert payload["ChangeEventHeader"]["recordIds"] == [record_id]
    assert payload["ChangeEventHeader"]["changeOrigin"].startswith(f"com/salesforce/api/rest/{VERSION}")
    assert (payload["Name"], payload["BillingAddress"]) == ("Lindqvist", {"City": "Visby"})
    assert "Phone" not in payload


def test_changes_a_record_and_tells_only_what_changed(org: SimulatedOrg, client: OrgClient) -> None:
    record_id = created(client, Name="Lindqvist", Phone="1")
    told(org)
    assert client.call("PATCH", f"sobjects/Account/{record_id}", json={"Phone": None, "Name": "Lindqvist"}).ok
    (payload,) = told(org)
    assert payload["ChangeEventHeader"]["changedFields"] == ["Phone", "LastModifiedDate"]
    assert payload["Phone"] is None


def test_deletes_a_record_and_tells_of_it_without_values(org: SimulatedOrg, client: OrgClient) -> None:
    record_id = created(client)
    told(org)
    assert client.call("DELETE", f"sobjects/Account/{record_id}").status_code == 204
    (payload,) = told(org)
    assert set(payload) == {"ChangeEventHeader"}
    assert client.error("GET", f"sobjects/Account/{record_id}") == (404, "ENTITY_IS_DELETED")
    assert client.query("SELECT Id FROM Account") == []
    (row,) = client.get("queryAll", q="SELECT Id, IsDeleted FROM Account")["records"]
    assert row["IsDeleted"] is True


def test_makes_two_records_of_a_person_and_tells_of_both(org: SimulatedOrg, client: OrgClient) -> None:
    account_id = created(client, LastName="Dahl", FirstName="Runa", PersonEmail="runa@example.org")
    account, contact = told(org)
    assert account["Name"] == {"FirstName": "Runa", "LastName": "Dahl"}
    assert (contact["IsPersonAccount"], contact["Email"]) == (True, "runa@example.org")
    client.call("PATCH", f"sobjects/Contact/{account['PersonContactId']}", json={"LastName": "Ek"})
    assert [payload["ChangeEventHeader"]["entityName"] for payload in told(org)] == ["Contact", "Account"]
    assert client.get(f"sobjects/Account/{account_id}")["Name"] == "Runa Ek"
    client.call("DELETE", f"sobjects/Account/{account_id}")
    assert len(told(org)) == 2


@pytest.mark.parametrize(
    ("method", "path", "body", "error"),
    [
        ("POST", "sobjects/Account", {"Phone": "1"}, (400, "REQUIRED_FIELD_MISSING")),
        ("POST", "sobjects/Account", {"Name": "x", "Nothing": "1"}, (400, "INVALID_FIELD")),
        ("POST", "sobjects/Account", {"Name": "x", "CreatedDate": "1"}, (400, "INVALID_FIELD_FOR_INSERT_UPDATE")),
        ("POST", "sobjects/Account", {"Name": 5}, (400, "JSON_PARSER_ERROR")),
        ("POST", "sobjects/Account", [], (400, "JSON_PARSER_ERROR")),
        ("POST", "sobjects/Nothing", {"Name": "x"}, (404, "NOT_FOUND")),
        ("PATCH", "sobjects/Account/001Qy00000KdT1aIAF", {"Name": "x"}, (404, "NOT_FOUND")),
        ("PUT", "sobjects/Account/001Qy00000KdT1aIAF", {"Name": "x"}, (405, "METHOD_NOT_ALLOWED")),
    ],
)
def test_refuses_writes_that_make_no_sense(
    client: OrgClient, method: str, path: str, body: Any, error: tuple[int, str]
) -> None:
    assert client.error(method, path, json=body) == error


def test_refuses_to_change_what_a_transaction_holds(org: SimulatedOrg, client: OrgClient) -> None:
    record_id = created(client)
    held = org.record("Account", record_id)
    assert held is not None
    transaction = org.begin()
    transaction.update([held], {"Phone": "1"})
    org.lock(transaction)
    path = f"sobjects/Account/{record_id}"
    assert client.error("PATCH", path, json={"Phone": "2"}) == (400, "UNABLE_TO_LOCK_ROW")


def test_has_a_place_for_every_id_of_a_collection(client: OrgClient) -> None:
    first, second, deleted = (created(client, Name=name) for name in "abc")
    client.call("DELETE", f"sobjects/Account/{deleted}")
    ids = [second, deleted, first, "001Qy00000KdT1aIAF"]
    answer = client.call("POST", "composite/sobjects/Account", json={"ids": ids, "fields": ["Id", "Name"]})
    assert [row and row["Name"] for row in answer.json()] == ["b", None, "a", None]
    got = client.get("composite/sobjects/Account", ids=",".join(ids), fields="Id,Name")
    assert got == answer.json()


def test_takes_at_most_2000_ids_in_a_collection(client: OrgClient) -> None:
    body = {"ids": ["001Qy00000KdT1aIAF"] * 2_001, "fields": ["Id"]}
    assert client.error("POST", "composite/sobjects/Account", json=body) == (400, "EXCEEDED_ID_LIMIT")


def test_hides_records_from_reading_and_not_from_the_feed(org: SimulatedOrg, client: OrgClient) -> None:
    record_id = created(client)
    told(org)
    record = org.record("Account", record_id)
    assert record is not None
    record.hidden = True
    org.store.put([record])
    org.change(record, {"Phone": "1"})
    assert client.error("GET", f"sobjects/Account/{record_id}") == (404, "NOT_FOUND")
    assert client.query("SELECT Id FROM Account") == []
    assert client.get("query", q="SELECT COUNT() FROM Account")["totalSize"] == 0
    assert len(told(org)) == 1


def test_describes_compounds_and_what_is_calculated(client: OrgClient) -> None:
    fields = {field["name"]: field for field in client.get("sobjects/Account/describe")["fields"]}
    assert fields["BillingAddress"]["type"] == "address"
    assert fields["BillingCity"]["compoundFieldName"] == "BillingAddress"
    assert (fields["Name"]["extraTypeInfo"], fields["LastName"]["compoundFieldName"]) == (
        "switchablepersonname",
        "Name",
    )
    assert [name for name, field in fields.items() if field["calculated"]] == ["Open_Deals__c"]


def test_calculates_open_deals_without_an_event(org: SimulatedOrg, client: OrgClient) -> None:
    account_id = created(client)
    before = client.get(f"sobjects/Account/{account_id}")
    created(client, "Opportunity", Name="Deal", AccountId=account_id)
    after = client.get(f"sobjects/Account/{account_id}")
    assert (before["Open_Deals__c"], after["Open_Deals__c"]) == (0, 1)
    assert before["SystemModstamp"] == after["SystemModstamp"]
    assert [payload["ChangeEventHeader"]["entityName"] for payload in told(org)] == ["Account", "Opportunity"]


def test_lists_objects_and_versions(client: OrgClient) -> None:
    assert "Lead" in {one["name"] for one in client.get("sobjects")["sobjects"]}
    assert client.get("/services/data/")[-1]["version"] == "67.0"
    assert client.error("GET", "/services/data/v99.0/limits") == (404, "NOT_FOUND")


def test_says_the_time_by_its_own_clock(org: SimulatedOrg, client: OrgClient) -> None:
    org.switches.set("skew", chance=1, value=90)
    assert client.call("GET", "limits").headers["Date"] == "Tue, 06 Oct 2026 07:21:39 GMT"
