from crm_mappings.mapping import SourceRecord
from crm_mappings.preview import Preview, preview
from tests.unit.crm_mappings.builders import a_record, the_mapping


def a_preview(entity: str = "deal", record: SourceRecord | None = None) -> Preview:
    return preview(the_mapping(entity), record or a_record(Name="Renewal", Amount="much", Secret__c="x", Fiscal="2026"))


def test_shows_the_whole_entity_as_it_would_be_stored() -> None:
    record = a_record(Name="Renewal", CloseDate="2026-12-31")
    assert a_preview(record=record).values == the_mapping("deal").apply(record).values


def test_says_which_mapping_made_it() -> None:
    shown = a_preview()
    assert (shown.source, shown.entity, shown.fingerprint) == ("Opportunity", "deal", the_mapping("deal").fingerprint)


def test_lists_the_fields_that_failed() -> None:
    assert [(field.field, field.raw) for field in a_preview().failed] == [("amount", {"Amount": "much"})]


def test_lists_what_the_mapping_does_not_look_at() -> None:
    assert a_preview().unused == ["Fiscal", "Secret__c"]


def test_a_source_of_several_fields_is_used() -> None:
    assert a_preview("client", a_record(Orfium_SSO_ID_SR__c="sr-1")).unused == []
