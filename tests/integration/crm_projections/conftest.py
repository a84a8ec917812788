from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker

from crm_events import backends as event_backends
from crm_projections import backends, entry

_BUILT_ONCE = (
    event_backends.event_store,
    event_backends.runs,
    backends.read_model,
    backends.broadcaster,
    entry.projector,
    entry.runner,
)


@pytest.fixture
def gone_alias(django_db_blocker: DjangoDbBlocker, tmp_path: Path) -> Iterator[str]:
    """Return the alias of a database that cannot be opened."""
    connections.settings["gone"] = {
        **connections.settings["default"],
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(tmp_path / "no such folder" / "crm.sqlite3"),
        "OPTIONS": {},
    }
    with django_db_blocker.unblock():
        yield "gone"
    del connections["gone"]
    del connections.settings["gone"]


@pytest.fixture
def _own_adapters() -> Iterator[None]:
    """Let nothing that another test put in place of an adapter be met, nor leave any behind."""
    for built in _BUILT_ONCE:
        built.cache_clear()
    yield
    for built in _BUILT_ONCE:
        built.cache_clear()
