from decimal import Decimal
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from crm_mappings.common import COMMON_FIELDS
from crm_mappings.dto import EntityDto, Text, Whole
from crm_mappings.errors import MappingDeclarationError
from crm_mappings.mapping import EntityMapping, MappedField, MappingIssue
from crm_mappings.registry import all_mappings
from crm_mappings.schema import FieldKind
from crm_mappings.transforms import Transform, integer, text
from tests.unit.crm_mappings.builders import RECORD_ID, a_record, the_mapping
from tests.unit.crm_mappings.test_transforms import JSON


class Crate(EntityDto):
    label: Text | None
    """What is written on it (Label__c)."""
    bottles: Whole | None
    """How many bottles it holds (Bottles__c)."""


LABEL = MappedField.of("label", "Label__c", text)
BOTTLES = MappedField.of("bottles", "Bottles__c", integer)


def a_mapping(
    *fields: MappedField, dto: type[EntityDto] = Crate, source: str = "Crate__c", entity: str = "crate"
) -> EntityMapping:
    return EntityMapping(source, entity, dto, (*COMMON_FIELDS, *(fields or (LABEL, BOTTLES))))


def failing(error: Exception) -> Transform:
    def fail(_: Any) -> Any:
        raise error

    return Transform("failing", frozenset({FieldKind.TEXT}), fail)


def test_a_field_that_fails_is_null_and_the_others_stay() -> None:
    mapped = a_mapping().apply(a_record(Label__c="fragile", Bottles__c="a dozen"))
    assert (mapped.values["label"], mapped.values["bottles"]) == ("fragile", None)


def test_a_field_that_fails_leaves_an_issue() -> None:
    mapped = a_mapping().apply(a_record(Bottles__c="a dozen"))
    assert mapped.issues == (MappingIssue("bottles", "a dozen", "“a dozen” is not a whole number; wanted 12"),)


def test_every_field_that_fails_leaves_an_issue_in_the_order_of_the_fields() -> None:
    mapped = the_mapping("deal").apply(a_record(IsWon="perhaps", Amount="much", AccountId="?"))
    assert [issue.field for issue in mapped.issues] == ["client_id", "amount", "is_won"]


def test_an_issue_of_a_field_with_several_sources_shows_those_that_are_there() -> None:
    mapped = the_mapping("contact").apply(a_record(FirstName=["Runa"], LastName="Dahl"))
    assert mapped.issues[1].field == "name"
    assert mapped.issues[1].source_value == {"FirstName": ["Runa"], "LastName": "Dahl"}


def test_a_first_source_that_fails_is_not_passed_over() -> None:
    mapped = the_mapping("client").apply(a_record(Orfium_SSO_ID_Comp__c={}, Orfium_SSO_ID_SR__c="sr-1"))
    assert [issue.field for issue in mapped.issues] == ["sso_id", "sso_id_c"]


@pytest.mark.parametrize("error", [ValueError("x"), TypeError("x"), KeyError("x"), ZeroDivisionError("x")])
def test_a_transform_that_forgets_its_own_error_costs_its_field_only(error: Exception) -> None:
    mapping = a_mapping(MappedField.of("label", "Label__c", failing(error)), BOTTLES)
    mapped = mapping.apply(a_record(Label__c="fragile", Bottles__c=6))
    assert (mapped.values["label"], mapped.values["bottles"]) == (None, 6)
    assert type(error).__name__ in mapped.issues[0].error


class ShortCrate(EntityDto):
    label: Annotated[Text, Field(max_length=3)] | None
    """What is written on it, shortly (Label__c)."""


def test_a_value_that_the_dto_refuses_is_null_and_an_issue() -> None:
    mapped = a_mapping(LABEL, dto=ShortCrate).apply(a_record(Label__c="fragile", OwnerId="001Qy00000KdT1a"))
    assert (mapped.values["label"], mapped.values["owner_id"]) == (None, RECORD_ID)
    assert [(issue.field, issue.source_value) for issue in mapped.issues] == [("label", "fragile")]


ODD_RECORDS = st.dictionaries(
    st.sampled_from([source for field in all_mappings()[3].fields for source in field.sources]), JSON
)


@given(fields=ODD_RECORDS)
def test_no_record_is_ever_lost(fields: dict[str, Any]) -> None:
    mapped = the_mapping("deal").apply(a_record(**fields))
    assert mapped.values["id"] == RECORD_ID
    assert all(mapped.values[issue.field] is None for issue in mapped.issues)


def test_the_schema_is_that_of_the_dto() -> None:
    schema = a_mapping().schema
    assert (schema.entity, schema.source) == ("crate", "Crate__c")
    assert [(field.name, field.kind) for field in schema.fields[-2:]] == [
        ("label", FieldKind.TEXT),
        ("bottles", FieldKind.INT),
    ]


def test_explains_a_field_with_its_source_and_transform() -> None:
    [amount] = [
        each for each in the_mapping("deal").explain(a_record(Amount=Decimal("1E+3"))) if each.field == "amount"
    ]
    assert (amount.sources, amount.raw, amount.transform) == (("Amount",), {"Amount": Decimal("1E+3")}, "decimal")
    assert (amount.value, amount.error) == ("1000", "")


def test_explains_why_a_field_failed() -> None:
    [amount] = [each for each in the_mapping("deal").explain(a_record(Amount="much")) if each.field == "amount"]
    assert (amount.raw, amount.value) == ({"Amount": "much"}, None)
    assert amount.error == "“much” is not a number; wanted 12.50"


def test_explains_which_sources_a_record_has() -> None:
    record = a_record(Orfium_SSO_ID_Comp__c=None, Orfium_SSO_ID_SR__c="sr-1")
    [sso_id] = [each for each in the_mapping("client").explain(record) if each.field == "sso_id"]
    assert sso_id.raw == {"Orfium_SSO_ID_Comp__c": None, "Orfium_SSO_ID_SR__c": "sr-1"}
    assert (sso_id.combine, sso_id.value) == ("first filled", "sr-1")


def test_explains_every_field_in_the_order_of_the_dto() -> None:
    explained = [each.field for each in the_mapping("lead").explain(a_record())]
    assert explained == [field.name for field in the_mapping("lead").schema.fields]


class NotNullable(EntityDto):
    label: Text
    """What is written on it (Label__c)."""


class NoKind(EntityDto):
    label: str | None
    """What is written on it (Label__c)."""


CONTRADICTIONS = [
    (lambda: a_mapping(entity="Crate"), "lower-case letters"),
    (lambda: a_mapping(LABEL), "look at bottles"),
    (lambda: a_mapping(LABEL, BOTTLES, MappedField.of("colour", "Colour__c", text)), "look at colour"),
    (lambda: a_mapping(BOTTLES, LABEL), "in the same order"),
    (lambda: a_mapping(LABEL, MappedField.of("bottles", "Bottles__c", text)), "bottles is int, not what text gives"),
    (lambda: a_mapping(LABEL, dto=NotNullable), "must be nullable .* look at label"),
    (lambda: a_mapping(LABEL, dto=NoKind), "field label has no kind"),
]


@pytest.mark.parametrize(("declare", "problem"), CONTRADICTIONS)
def test_refuses_a_declaration_that_contradicts_its_dto(declare: Any, problem: str) -> None:
    with pytest.raises(MappingDeclarationError, match=problem):
        declare()
