from dataclasses import replace
from pathlib import Path

import pytest

from crm_mappings.errors import MappingDeclarationError
from crm_mappings.mapping import EntityMapping
from crm_mappings.registry import (
    MappingSet,
    all_mappings,
    mapping_for_entity,
    mapping_for_source,
    mappings_in,
    use_mappings,
)
from tests.unit.crm_mappings.builders import the_mapping


def test_finds_the_files_of_the_package() -> None:
    assert [mapping.entity for mapping in all_mappings()] == ["client", "contact", "contract", "deal", "lead"]


def test_finds_a_mapping_by_its_salesforce_object() -> None:
    assert mapping_for_source("Opportunity") is the_mapping("deal")


@pytest.mark.parametrize("unknown", ["Task", "client", "account"])
def test_an_object_without_a_mapping_has_none(unknown: str) -> None:
    assert mapping_for_source(unknown) is None


@pytest.mark.parametrize("unknown", ["task", "Account", "clients"])
def test_an_unknown_entity_has_no_mapping(unknown: str) -> None:
    assert mapping_for_entity(unknown) is None


DEAL, CLIENT = the_mapping("deal"), the_mapping("client")


@pytest.mark.parametrize(
    ("rival", "claimed"), [(replace(DEAL, source="Account"), "Account"), (replace(DEAL, entity="client"), "client")]
)
def test_two_files_cannot_claim_the_same(rival: EntityMapping, claimed: str) -> None:
    with pytest.raises(MappingDeclarationError, match=f"{claimed} already has a mapping"):
        MappingSet([CLIENT, rival])


def test_a_test_can_add_a_mapping() -> None:
    crate = replace(the_mapping("client"), source="Crate__c", entity="crate")
    with use_mappings(crate):
        assert mapping_for_source("Crate__c") is crate
        assert mapping_for_entity("client") is mapping_for_source("Account")
    assert mapping_for_source("Crate__c") is None


def test_a_test_can_change_a_mapping() -> None:
    changed = replace(CLIENT, fields=tuple(replace(field, sources=("Changed__c",)) for field in CLIENT.fields))
    with use_mappings(changed):
        assert mapping_for_entity("client") is mapping_for_source("Account") is changed
    assert mapping_for_entity("client") is CLIENT


def test_what_a_test_used_is_gone_when_it_fails() -> None:
    with pytest.raises(RuntimeError), use_mappings(replace(the_mapping("client"), entity="customer")):
        raise RuntimeError
    assert mapping_for_entity("customer") is None


def test_a_file_without_a_mapping_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.py").write_text("")
    with pytest.raises(MappingDeclarationError, match=r"empty.*under the name MAPPING"):
        mappings_in(tmp_path)


def test_files_that_begin_with_an_underscore_are_no_entities(tmp_path: Path) -> None:
    (tmp_path / "_shared.py").write_text("")
    assert mappings_in(tmp_path) == ()
