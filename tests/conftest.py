"""What a test run needs before Django reads its settings: a data folder of its own and, if there is one, PostgreSQL."""

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

import hypothesis
import pytest

from engines.catalogue import ENGINES
from engines.server import Server
from tests.engines import choice
from tests.engines.environment import IN_CI, IS_WORKER, forget_foreign_settings

pytest_plugins = ["tests.engines.plugin", "tests.engines.default_plugin"]

# TEST_DEFAULT_DATABASE=postgres: everything that works on the default database works on PostgreSQL in this run.
_POSTGRES_IS_DEFAULT = os.environ.get("TEST_DEFAULT_DATABASE", "") == "postgres"
_POSTGRES = ENGINES["postgres"]
_NO_POSTGRES = _POSTGRES.why_missing()


def _prepare_environment() -> Server | None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    if IS_WORKER:  # the run that started this worker has done the rest
        return None
    forget_foreign_settings()
    os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="crm-tests-")
    if choice.ON_ENGINES:
        os.environ.update(choice.VARIABLES)
    if _NO_POSTGRES is not None:
        os.environ.pop("TEST_POSTGRES_URL", None)
        return None
    server = Server(_POSTGRES)
    os.environ["TEST_POSTGRES_URL"] = server.url
    if _POSTGRES_IS_DEFAULT:
        # Another name than the second database has, so that its tests stay apart.
        os.environ["DATABASE_URL"] = server.url.rpartition("/")[0] + "/crm"
    return server


_server = _prepare_environment()

import django  # noqa: E402  # settings read the environment prepared above

django.setup()

# How long an example takes says something about the machine, not about the code.
hypothesis.settings.register_profile("steady", deadline=None)
hypothesis.settings.load_profile("steady")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "postgres: needs a PostgreSQL server; added by itself where a test asks for one")
    if (IN_CI or _POSTGRES_IS_DEFAULT) and not IS_WORKER and _server is None:
        raise pytest.UsageError(f"{_NO_POSTGRES}, and this run must test on it.")


def pytest_report_header() -> list[str]:
    if _server is None:
        return [f"{_POSTGRES.serves}: SQLite; no PostgreSQL, its tests are skipped: {_NO_POSTGRES}"]
    return [f"{_POSTGRES.serves}: SQLite and {_POSTGRES.title}, started when a test asks for it"]


def _asked_databases(item: pytest.Item) -> set[str]:
    marker = item.get_closest_marker("django_db")
    asked = (marker.kwargs.get("databases") if marker else None) or ()
    return set(asked) if asked != "__all__" else {"default", "postgres"}


def _bind_to_alias(item: pytest.Function, alias: str) -> None:
    """Give the test its one database; the other one is not touched and need not run."""
    marker = item.get_closest_marker("django_db")
    databases = (_asked_databases(item) - {"postgres"}) | {alias}
    kwargs = {**(marker.kwargs if marker else {}), "databases": sorted(databases)}
    item.add_marker(pytest.mark.django_db(**kwargs), append=False)


def _mark_postgres(items: Iterable[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and hasattr(item, "callspec") and "sql_alias" in item.callspec.params:
            _bind_to_alias(item, str(item.callspec.params["sql_alias"]))
        if "postgres" in _asked_databases(item) and item.get_closest_marker("postgres") is None:
            item.add_marker(pytest.mark.postgres)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    _mark_postgres(items)
    if "TEST_POSTGRES_URL" not in os.environ:
        for item in items:
            if item.get_closest_marker("postgres") is not None:
                item.add_marker(pytest.mark.skip(reason=_NO_POSTGRES or ""))


def pytest_sessionstart(session: pytest.Session) -> None:
    # With xdist the tests are collected elsewhere, and the server has to outlive every worker.
    if _server is not None and getattr(session.config.option, "numprocesses", None):
        _server.start()


def pytest_collection_finish(session: pytest.Session) -> None:
    wanted = _POSTGRES_IS_DEFAULT or any(item.get_closest_marker("postgres") for item in session.items)
    if _server is not None and wanted and not session.config.option.collectonly:
        _server.start()


def pytest_unconfigure() -> None:
    if IS_WORKER:
        return
    if _server is not None:
        _server.stop()
    shutil.rmtree(Path(os.environ["DATA_DIR"]), ignore_errors=True)


@pytest.fixture(params=["default", "postgres"])
def sql_alias(request: pytest.FixtureRequest) -> str:
    """Run the test on SQLite and on PostgreSQL: the alias of the database it has."""
    alias: str = request.param
    return alias
