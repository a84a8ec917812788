from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import Settings

from crm_events import backends as event_backends
from crm_events import entry
from crm_events.adapters.memory_source import MemoryCrmSource
from crm_projections import backends as read_backends
from crm_projections import entry as read_entry
from tests.engines.choice import ON_ENGINES
from tests.integration.console.pages import an_administrator


def _forget_adapters() -> None:
    for built in (
        event_backends.event_store,
        event_backends.crm_source,
        event_backends.api_budget,
        entry.command_service,
        entry.dead_letter_desk,
        entry.bulk_runner,
        entry.log_runner,
        read_backends.read_model,
        read_backends.broadcaster,
        read_entry.projector,
        read_entry.runner,
    ):
        built.cache_clear()


@pytest.fixture(autouse=True)
def _adapters(settings: Settings) -> Iterator[None]:
    """Keep log and documents in memory: a page that looked into the SQL adapters' tables would find nothing."""
    if ON_ENGINES:
        yield
        return
    settings.CRM_EVENT_STORE = {"BACKEND": "crm_events.adapters.memory.MemoryEventStore", "OPTIONS": {}}
    settings.CRM_READ_MODEL = {"BACKEND": "crm_projections.adapters.memory.MemoryReadModel", "OPTIONS": {}}
    settings.CRM_BROADCASTER = {"BACKEND": "crm_projections.adapters.memory.MemoryBroadcaster", "OPTIONS": {}}
    _forget_adapters()
    yield
    _forget_adapters()


@pytest.fixture
def source(settings: Settings, _adapters: None) -> MemoryCrmSource:
    """Set the service up to read a Salesforce in memory."""
    settings.CRM_SOURCE = {"BACKEND": "crm_events.adapters.memory_source.MemoryCrmSource", "OPTIONS": {}}
    found = event_backends.crm_source()
    assert isinstance(found, MemoryCrmSource)
    return found


@pytest.fixture
def admin(db: None) -> Client:  # noqa: ARG001  # users are kept in the database
    return an_administrator()
