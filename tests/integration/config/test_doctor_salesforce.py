from collections.abc import Iterator

import pytest
from pytest_django import Settings

from config.doctor.diagnosis import Light, worst
from config.doctor.salesforce import examine_salesforce
from crm_events import backends
from crm_events.adapters.memory_source import MemoryCrmSource
from crm_events.ports.crm_source import SourceAccessError
from crm_mappings.registry import all_mappings
from tests.builders import an_id


@pytest.fixture
def source(settings: Settings) -> Iterator[MemoryCrmSource]:
    settings.CRM_SOURCE = {"BACKEND": "crm_events.adapters.memory_source.MemoryCrmSource", "OPTIONS": {}}
    backends.crm_source.cache_clear()
    source = backends.crm_source()
    assert isinstance(source, MemoryCrmSource)
    for mapping in all_mappings():
        source.put(mapping.source, {"Id": an_id(1, mapping.source)})
    yield source
    backends.crm_source.cache_clear()


def said() -> str:
    return " / ".join(f"{line.light} {line.fact}" for line in examine_salesforce())


def test_says_nothing_where_no_salesforce_is_read(settings: Settings) -> None:
    settings.CRM_SOURCE = None
    assert examine_salesforce() == []


def test_says_what_is_seen_of_each_object(source: MemoryCrmSource) -> None:
    source.set_usage(100, 1_000)
    assert worst(examine_salesforce()) is Light.GREEN
    assert "green Account: 5 columns, all records" in said()
    assert "of 1,000 API calls of 24 hours are used" in said()


def test_warns_of_records_that_may_be_hidden(source: MemoryCrmSource) -> None:
    source.may_see_all = False
    assert "amber Account: 5 columns, but it is not certain" in said()


def test_warns_when_calls_become_few(source: MemoryCrmSource) -> None:
    source.set_usage(800, 1_000)
    assert worst(examine_salesforce()) is Light.AMBER


def test_shows_an_object_that_cannot_be_read(source: MemoryCrmSource) -> None:
    source.fail("describe", SourceAccessError("X", "not now"))
    assert said() == "red not now (X)"
    del source._objects["Account"]
    assert "red Account cannot be read" in said()


def test_shows_that_it_is_not_let_in(source: MemoryCrmSource) -> None:
    source.fail("ping", SourceAccessError("invalid_grant", "Salesforce does not let us in"))
    assert said() == "red Salesforce does not let us in (invalid_grant)"
