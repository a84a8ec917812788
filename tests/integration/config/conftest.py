from collections.abc import Iterator
from typing import Any

import pytest

from crm_events import entry
from crm_events.adapters.memory_source import MemoryCrmSource
from crm_events.backends import crm_source


@pytest.fixture
def source(settings: Any) -> Iterator[MemoryCrmSource]:
    """Set the service up to read a Salesforce in memory."""
    settings.CRM_SOURCE = {"BACKEND": "crm_events.adapters.memory_source.MemoryCrmSource", "OPTIONS": {}}
    cached = (crm_source, entry.bulk_runner, entry.repair_runner)
    for one in cached:
        one.cache_clear()
    found = crm_source()
    assert isinstance(found, MemoryCrmSource)
    yield found
    for one in cached:
        one.cache_clear()
