"""Every field of every normalized entity: a source, and what it becomes."""

from decimal import Decimal
from typing import Any

import pytest

from crm_mappings.mapping import EntityMapping
from crm_mappings.registry import all_mappings
from tests.unit.crm_mappings.builders import a_record, the_mapping

ID_15, ID_18 = "001Qy00000KdT1b", "001Qy00000KdT1bIAF"
NAME_PARTS = {"Salutation": "Ms.", "FirstName": "Runa", "MiddleName": "M.", "LastName": "Dahl", "Suffix": "Jr."}
PERSON = "Ms. Runa M. Dahl Jr."

EVERY_ENTITY: list[tuple[str, dict[str, Any], Any]] = [
    ("created_date", {"CreatedDate": "2026-10-06T07:25:25.000+0000"}, "2026-10-06T07:25:25.000Z"),
    ("last_modified_date", {"LastModifiedDate": 1791271525000}, "2026-10-06T07:25:25.000Z"),
    ("last_activity_date", {"LastActivityDate": "2026-10-06"}, "2026-10-06"),
    ("owner_id", {"OwnerId": ID_15}, ID_18),
]
CLIENT: list[tuple[str, dict[str, Any], Any]] = [
    ("name", {"Name": "Lindqvist Marine AB"}, "Lindqvist Marine AB"),
    ("name", NAME_PARTS, PERSON),
    ("name", {"Name": "Runa Dahl", "Salutation": "Ms.", "FirstName": "Runa", "LastName": "Dahl"}, "Ms. Runa Dahl"),
    ("parent_id", {"ParentId": ID_15}, ID_18),
    ("business_types", {"Business_Type__c": "Label;Publisher;"}, ["Label", "Publisher"]),
    ("status", {"Account_Status__c": "Active"}, "Active"),
    ("currency", {"CurrencyIsoCode": "SEK"}, "SEK"),
    ("billing_country", {"BillingCountry": "Sweden"}, "Sweden"),
    ("billing_city", {"BillingCity": "Slite"}, "Slite"),
    ("priority", {"Account_Priority__c": "High"}, "High"),
    ("sso_id", {"Orfium_SSO_ID_Comp__c": "comp-1", "Orfium_SSO_ID_SR__c": "sr-1"}, "comp-1"),
    ("sso_id", {"Orfium_SSO_ID_Comp__c": None, "Orfium_SSO_ID_SR__c": "sr-1"}, "sr-1"),
    ("sso_id", {"Orfium_SSO_ID_Comp__c": "", "Orfium_SSO_ID_SR__c": "sr-1"}, "sr-1"),
    ("sso_id", {"Orfium_SSO_ID_Comp__c": "", "Orfium_SSO_ID_SR__c": ""}, None),
    ("sso_id_c", {"Orfium_SSO_ID_Comp__c": "comp-1"}, "comp-1"),
    ("sso_id_c", {"Orfium_SSO_ID_SR__c": "sr-1"}, None),
    ("sso_id_r", {"Orfium_SSO_ID_SR__c": "sr-1"}, "sr-1"),
    ("sso_id_r", {"Orfium_SSO_ID_Comp__c": "comp-1"}, None),
    ("industry", {"Industry": "Music"}, "Music"),
    ("phone", {"Phone": "+46 498 555"}, "+46 498 555"),
    ("website", {"Website": "https://example.org"}, "https://example.org"),
    ("description", {"Description": "line one\r\nline two"}, "line one\r\nline two"),
]
CONTACT: list[tuple[str, dict[str, Any], Any]] = [
    ("client_id", {"AccountId": ID_15}, ID_18),
    ("salutation", {"Salutation": "Ms."}, "Ms."),
    ("first_name", {"FirstName": "Runa"}, "Runa"),
    ("last_name", {"LastName": "Dahl"}, "Dahl"),
    ("name", NAME_PARTS, PERSON),
    ("name", {"FirstName": "Runa", "MiddleName": None, "LastName": "Dahl", "Suffix": ""}, "Runa Dahl"),
    ("name", {"LastName": "Dahl", "Name": "Runa Dahl"}, "Dahl"),
    ("name", {"Name": "Runa Dahl"}, "Runa Dahl"),
    ("name", {"FirstName": None, "LastName": "", "Name": "Runa Dahl"}, "Runa Dahl"),
    ("email", {"Email": "runa@example.org"}, "runa@example.org"),
    ("phone", {"Phone": "1"}, "1"),
    ("mobile_phone", {"MobilePhone": "2"}, "2"),
    ("title", {"Title": "CEO"}, "CEO"),
    ("department", {"Department": "Sales"}, "Sales"),
    ("mailing_city", {"MailingCity": "Visby"}, "Visby"),
    ("mailing_country", {"MailingCountry": "Sweden"}, "Sweden"),
]
CONTRACT: list[tuple[str, dict[str, Any], Any]] = [
    ("client_id", {"AccountId": ID_15}, ID_18),
    ("contract_number", {"ContractNumber": "00000104"}, "00000104"),
    ("status", {"Status": "Activated"}, "Activated"),
    ("special_terms", {"SpecialTerms": "none"}, "none"),
    ("description", {"Description": "long"}, "long"),
    ("start_date", {"StartDate": "2026-01-01"}, "2026-01-01"),
    ("end_date", {"EndDate": 1798675200000}, "2026-12-31"),
    ("signed_date", {"CustomerSignedDate": "2025-12-24"}, "2025-12-24"),
    ("term_months", {"ContractTerm": "12"}, 12),
    ("billing_country", {"BillingCountry": "Sweden"}, "Sweden"),
]
DEAL: list[tuple[str, dict[str, Any], Any]] = [
    ("client_id", {"AccountId": ID_15}, ID_18),
    ("contract_id", {"ContractId": ID_15}, ID_18),
    ("name", {"Name": "Catalogue renewal"}, "Catalogue renewal"),
    ("stage", {"StageName": "Closed Won"}, "Closed Won"),
    ("type", {"Type": "Existing Business"}, "Existing Business"),
    ("lead_source", {"LeadSource": "Web"}, "Web"),
    ("next_step", {"NextStep": "Call"}, "Call"),
    ("forecast_category", {"ForecastCategoryName": "Commit"}, "Commit"),
    ("currency", {"CurrencyIsoCode": "EUR"}, "EUR"),
    ("description", {"Description": "long"}, "long"),
    ("amount", {"Amount": Decimal("12500.50")}, "12500.50"),
    ("probability", {"Probability": 10}, "10"),
    ("close_date", {"CloseDate": 1719705600000}, "2024-06-30"),
    ("is_closed", {"IsClosed": "true"}, True),
    ("is_won", {"IsWon": False}, False),
]
LEAD: list[tuple[str, dict[str, Any], Any]] = [
    ("first_name", {"FirstName": "Runa"}, "Runa"),
    ("last_name", {"LastName": "Dahl"}, "Dahl"),
    ("name", NAME_PARTS, PERSON),
    ("name", {"Name": "Runa Dahl"}, "Runa Dahl"),
    ("company", {"Company": "Dahl AB"}, "Dahl AB"),
    ("email", {"Email": "runa@example.org"}, "runa@example.org"),
    ("phone", {"Phone": "1"}, "1"),
    ("status", {"Status": "Qualified"}, "Qualified"),
    ("source", {"LeadSource": "Web"}, "Web"),
    ("industry", {"Industry": "Music"}, "Music"),
    ("rating", {"Rating": "Hot"}, "Hot"),
    ("country", {"Country": "Sweden"}, "Sweden"),
    ("is_converted", {"IsConverted": True}, True),
    ("converted_date", {"ConvertedDate": "2026-10-06"}, "2026-10-06"),
    ("client_id", {"ConvertedAccountId": ID_15}, ID_18),
    ("contact_id", {"ConvertedContactId": ID_15}, ID_18),
    ("deal_id", {"ConvertedOpportunityId": ID_15}, ID_18),
]
TABLES = {"client": CLIENT, "contact": CONTACT, "contract": CONTRACT, "deal": DEAL, "lead": LEAD}
CASES = [(entity, *case) for entity, table in TABLES.items() for case in [*EVERY_ENTITY, *table]]
MADE_OF_THE_RECORD = {"id", "is_deleted", "system_modified_stamp"}


@pytest.mark.parametrize(("entity", "field", "source", "expected"), CASES)
def test_maps_the_field_from_its_source(entity: str, field: str, source: dict[str, Any], expected: Any) -> None:
    mapped = the_mapping(entity).apply(a_record(**source))
    assert (mapped.values[field], mapped.issues) == (expected, ())


@pytest.mark.parametrize("entity", TABLES)
def test_the_table_above_has_every_field(entity: str) -> None:
    fields = {case[0] for case in [*EVERY_ENTITY, *TABLES[entity]]} | MADE_OF_THE_RECORD
    assert fields == set(the_mapping(entity).schema.by_name)


@pytest.mark.parametrize("mapping", all_mappings(), ids=lambda mapping: mapping.entity)
def test_a_record_without_fields_gives_nulls(mapping: EntityMapping) -> None:
    values = dict(mapping.apply(a_record()).values)
    assert (values.pop("id"), values.pop("is_deleted")) == ("001Qy00000KdT1aIAF", False)
    assert set(values.values()) == {None}


@pytest.mark.parametrize("mapping", all_mappings(), ids=lambda mapping: mapping.entity)
def test_empty_texts_give_nulls(mapping: EntityMapping) -> None:
    empty: dict[str, Any] = {source: "" for field in mapping.fields for source in field.sources}
    assert mapping.apply(a_record(**empty)) == mapping.apply(a_record())


@pytest.mark.parametrize("entity", TABLES)
def test_deletion_is_what_the_fold_knows_not_what_a_row_said(entity: str) -> None:
    assert the_mapping(entity).apply(a_record(is_deleted=True, IsDeleted=False)).values["is_deleted"] is True


@pytest.mark.parametrize("entity", TABLES)
def test_the_system_modification_is_what_the_fold_knows(entity: str) -> None:
    record = a_record(system_modified_ms=1791271525007, SystemModstamp="2020-01-01T00:00:00.000Z")
    assert the_mapping(entity).apply(record).values["system_modified_stamp"] == "2026-10-06T07:25:25.007Z"
