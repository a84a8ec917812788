"""The names, order and kinds of the normalized fields are a public contract: they do not change."""

import pytest
from pydantic import BaseModel

from crm_mappings.registry import all_mappings
from crm_mappings.schema import FieldKind
from tests.unit.crm_mappings.builders import the_mapping

COMMON = (
    "id:id is_deleted:bool created_date:time last_modified_date:time system_modified_stamp:time "
    "last_activity_date:date owner_id:id "
)
CONTRACT = {
    "client": "name:text parent_id:id business_types:list status:text currency:text billing_country:text "
    "billing_city:text priority:text sso_id:text sso_id_c:text sso_id_r:text industry:text phone:text website:text "
    "description:long_text",
    "contact": "client_id:id salutation:text first_name:text last_name:text name:text email:text phone:text "
    "mobile_phone:text title:text department:text mailing_city:text mailing_country:text",
    "contract": "client_id:id contract_number:text status:text special_terms:long_text description:long_text "
    "start_date:date end_date:date signed_date:date term_months:int billing_country:text",
    "deal": "client_id:id contract_id:id name:text stage:text type:text lead_source:text next_step:text "
    "forecast_category:text currency:text description:long_text amount:decimal probability:decimal close_date:date "
    "is_closed:bool is_won:bool",
    "lead": "first_name:text last_name:text name:text company:text email:text phone:text status:text source:text "
    "industry:text rating:text country:text is_converted:bool converted_date:date client_id:id contact_id:id "
    "deal_id:id",
}
SOURCES = {
    "client": "Account",
    "contact": "Contact",
    "contract": "Contract",
    "deal": "Opportunity",
    "lead": "Lead",
}
NAME_LIKE = {
    "client": ("name",),
    "contact": ("first_name", "last_name", "name"),
    "contract": ("contract_number",),
    "deal": ("name",),
    "lead": ("first_name", "last_name", "name", "company"),
}
JSON_TYPES = {
    FieldKind.BOOL: ("boolean", None),
    FieldKind.INT: ("integer", None),
    FieldKind.LIST: ("array", None),
    FieldKind.DATE: ("string", "date"),
    FieldKind.TIME: ("string", "date-time"),
    FieldKind.DECIMAL: ("string", "decimal"),
}

for_each_entity = pytest.mark.parametrize("entity", CONTRACT)


def test_the_five_entities_and_their_salesforce_objects_stay() -> None:
    assert {mapping.entity: mapping.source for mapping in all_mappings()} == SOURCES


@for_each_entity
def test_fields_keep_their_names_order_and_kinds(entity: str) -> None:
    fields = the_mapping(entity).schema.fields
    assert " ".join(f"{field.name}:{field.kind}" for field in fields) == COMMON + CONTRACT[entity]


@for_each_entity
def test_text_search_looks_at_names_only(entity: str) -> None:
    assert the_mapping(entity).schema.name_like == NAME_LIKE[entity]


@for_each_entity
def test_a_mapped_entity_has_its_fields_in_the_order_of_the_contract(entity: str) -> None:
    mapping = the_mapping(entity)
    assert list(mapping.dto.model_fields) == [field.name for field in mapping.fields]


@for_each_entity
def test_descriptions_name_every_salesforce_field(entity: str) -> None:
    mapping = the_mapping(entity)
    for field in mapping.fields:
        description = mapping.dto.model_fields[field.name].description or ""
        assert [source for source in field.sources if source not in description] == []


@for_each_entity
def test_the_json_schema_says_every_field_is_there_and_what_it_holds(entity: str) -> None:
    mapping = the_mapping(entity)
    schema = mapping.dto.model_json_schema(mode="serialization")
    assert schema["required"] == list(schema["properties"])
    for field in mapping.schema.fields:
        declared = schema["properties"][field.name]
        filled = declared["anyOf"][0] if "anyOf" in declared else declared
        assert (filled["type"], filled.get("format")) == JSON_TYPES.get(field.kind, ("string", None))


@for_each_entity
def test_only_the_id_and_the_deletion_are_never_null(entity: str) -> None:
    dto: type[BaseModel] = the_mapping(entity).dto
    schema = dto.model_json_schema()
    assert [name for name, field in schema["properties"].items() if "anyOf" not in field] == ["id", "is_deleted"]
