from collections.abc import Iterator

import pytest
from django.core.cache import cache

from crm_api.freshness import Freshness
from crm_events import backends as event_backends
from crm_events import entry
from crm_projections import backends as read_backends
from tests.integration.crm_api.api import Api, a_key


def _forget_adapters() -> None:
    for built in (event_backends.event_store, entry.command_service, read_backends.read_model):
        built.cache_clear()


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let each test begin as a process does: adapters not yet built, rates not counted, lag not known."""
    _forget_adapters()
    cache.clear()
    fresh = Freshness(lambda: event_backends.event_store().statistics())
    monkeypatch.setattr("crm_api.views.base.freshness", fresh)
    yield
    _forget_adapters()


@pytest.fixture
def api(db: None) -> Api:  # noqa: ARG001  # keys are kept in the database
    """Return a caller that may ingest and read."""
    return Api(a_key())
