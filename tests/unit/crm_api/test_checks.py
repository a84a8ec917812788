from dataclasses import dataclass

import pytest
from pytest_django import Settings

from crm_api.checks import check_field_names, check_rate
from crm_mappings.schema import EntitySchema, FieldKind, FieldSpec


@dataclass
class _Mapping:
    entity: str
    schema: EntitySchema


def test_the_mappings_there_are_hide_no_field() -> None:
    assert check_field_names() == []


def test_a_field_named_as_a_parameter_of_lists_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = EntitySchema("book", "Book__c", (FieldSpec("page", FieldKind.INT),))
    monkeypatch.setattr("crm_api.checks.all_mappings", lambda: [_Mapping("book", schema)])
    assert [(error.id, "book.page" in str(error)) for error in check_field_names()] == [("crm_api.E002", True)]


def test_a_rate_that_cannot_be_read_is_an_error(settings: Settings) -> None:
    assert check_rate() == []
    settings.CRM_API_RATE = "often"
    assert [error.id for error in check_rate()] == ["crm_api.E001"]
