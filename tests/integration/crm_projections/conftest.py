from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker


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
