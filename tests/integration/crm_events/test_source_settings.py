from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from crm_events import backends
from crm_events.adapters.memory_source import MemoryCrmSource
from crm_events.checks import check_source
from crm_events.ports.crm_source import CrmSource, NoSourceError

MEMORY = {"BACKEND": "crm_events.adapters.memory_source.MemoryCrmSource", "OPTIONS": {}}


@pytest.fixture(autouse=True)
def _fresh_source() -> Iterator[None]:
    backends.crm_source.cache_clear()
    yield
    backends.crm_source.cache_clear()


def test_says_what_to_set_where_no_source_is(settings: Settings) -> None:
    settings.CRM_SOURCE = None
    assert not backends.has_crm_source()
    with pytest.raises(NoSourceError, match=r"CRM_SOURCE=salesforce.*SALESFORCE_URL.*SALESFORCE_PRIVATE_KEY_FILE"):
        backends.crm_source()


def test_builds_the_source_that_settings_name(settings: Settings) -> None:
    settings.CRM_SOURCE = MEMORY
    assert backends.has_crm_source()
    assert isinstance(backends.crm_source(), MemoryCrmSource)


def test_finds_no_fault_with_a_service_that_reads_no_salesforce(settings: Settings) -> None:
    settings.CRM_SOURCE = None
    assert check_source() == []


def test_finds_a_source_that_is_none(settings: Settings) -> None:
    settings.CRM_SOURCE = {"BACKEND": "crm_events.adapters.memory.MemoryEventStore", "OPTIONS": {}}
    assert [message.id for message in check_source()] == ["crm_events.E004"]


def test_finds_options_that_a_source_cannot_use(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def problems(**_options: Any) -> list[str]:
        return ["SALESFORCE_URL is not set."]

    settings.CRM_SOURCE = MEMORY
    monkeypatch.setattr(CrmSource, "problems", problems)
    assert [(message.id, message.msg) for message in check_source()] == [
        ("crm_events.E005", "SALESFORCE_URL is not set.")
    ]
