from typing import Any

import pytest

from crm_events.ports.crm_source import SourceAccessError
from tests.integration.salesforce.conftest import MakeSource
from tests.integration.salesforce.server import Answer, FakeSalesforce, a_result, an_error

IDENTITY = Answer({"identity": "https://login.salesforce.com/id/00Dxx0000001gERAAY/005xx000001SwiUAAS"})


def a_field(name: str, kind: str = "string", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "calculated": False, "compoundFieldName": None, "extraTypeInfo": None, **more}


CONTACT = [
    a_field("Id", "id"),
    a_field("Name", compoundFieldName="Name", extraTypeInfo="personname"),
    a_field("LastName", compoundFieldName="Name", extraTypeInfo="personname"),
    a_field("FirstName", compoundFieldName="Name", extraTypeInfo="personname"),
    a_field("MailingAddress", "address"),
    a_field("MailingCity", compoundFieldName="MailingAddress"),
    a_field("Site__c", "location"),
    a_field("Site__Latitude__s", "double", compoundFieldName="Site__c"),
    a_field("Total__c", "currency", calculated=True),
    a_field("Photo__c", "base64"),
]


def test_trap_2_leaves_out_columns_that_only_repeat_others(salesforce: FakeSalesforce, make_source: MakeSource) -> None:
    salesforce.on("GET", "sobjects/Contact/describe", Answer({"fields": CONTACT}))
    description = make_source().describe("Contact")
    assert [field.name for field in description.fields if field.is_compound] == ["Name", "MailingAddress", "Site__c"]
    assert description.columns == (*("Id", "LastName", "FirstName", "MailingCity", "Site__Latitude__s", "Total__c"),)


@pytest.mark.parametrize("extra", ["switchablepersonname", None])
def test_trap_2_keeps_the_name_of_a_business_account(
    salesforce: FakeSalesforce, make_source: MakeSource, extra: str | None
) -> None:
    account = [
        a_field("Name", compoundFieldName="Name", extraTypeInfo=extra),
        a_field("LastName", compoundFieldName="Name"),
    ]
    salesforce.on("GET", "sobjects/Account/describe", Answer({"fields": account}))
    assert make_source().describe("Account").columns == ("Name", "LastName")


def test_tells_formulas_from_other_columns(salesforce: FakeSalesforce, make_source: MakeSource) -> None:
    salesforce.on("GET", "sobjects/Contact/describe", Answer({"fields": CONTACT}))
    assert [f.name for f in make_source().describe("Contact").fields if f.is_calculated] == ["Total__c"]


def test_describes_an_object_once_in_some_minutes(salesforce: FakeSalesforce, make_source: MakeSource) -> None:
    now = [0.0]
    source = make_source(monotonic=lambda: now[0])
    for _ in range(3):
        source.describe("Account")
    assert len(salesforce.asked("GET")) == 1
    now[0] += 300
    source.describe("Account")
    assert len(salesforce.asked("GET")) == 2


# Rights


@pytest.mark.parametrize(("records", "answer"), [([{"Id": "110"}], True), ([], False)])
def test_asks_whether_the_user_sees_all(
    salesforce: FakeSalesforce, make_source: MakeSource, records: list[dict[str, Any]], *, answer: bool
) -> None:
    salesforce.on("GET", "", IDENTITY)
    salesforce.on_query(a_result(records))
    source = make_source()
    assert [source.sees_all("Account"), source.sees_all("Account")] == [answer, answer]
    asked = salesforce.asked("GET", "query/")
    assert len(asked) == 1
    assert "SobjectType = 'Account'" in asked[0].query["q"]
    assert "AssigneeId = '005xx000001SwiUAAS'" in asked[0].query["q"]


@pytest.mark.parametrize("answer", [an_error(400, "INVALID_TYPE"), an_error(403, "INSUFFICIENT_ACCESS")])
def test_believes_in_no_right_that_nobody_tells_of(
    salesforce: FakeSalesforce, make_source: MakeSource, answer: Answer
) -> None:
    salesforce.on("GET", "", IDENTITY)
    salesforce.on_query(answer)
    assert make_source().sees_all("Account") is False


def test_believes_in_no_right_of_a_user_nobody_names(salesforce: FakeSalesforce, make_source: MakeSource) -> None:
    salesforce.on("GET", "", Answer({"sobjects": "x"}))
    assert make_source().sees_all("Account") is False


def test_says_when_it_may_not_even_ask(salesforce: FakeSalesforce, make_source: MakeSource) -> None:
    salesforce.on("GET", "", an_error(403, "API_DISABLED_FOR_ORG"))
    with pytest.raises(SourceAccessError):
        make_source().sees_all("Account")
