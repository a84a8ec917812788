"""Lets the tests that name no adapter work on production's in a run with ``TEST_DEFAULT_ENGINES=1``."""

from collections.abc import Iterator

import pytest

from tests.engines.choice import ON_ENGINES


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "embedded_only(reason): is about the embedded adapters and not run on others")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items if ON_ENGINES else ():
        if marker := item.get_closest_marker("embedded_only"):
            item.add_marker(pytest.mark.skip(reason=f"embedded adapters only: {marker.args[0]}"))
        elif "sql_alias" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.skip(reason="embedded adapters only: runs on each SQL database by itself"))


@pytest.fixture(scope="session")
def _pool(request: pytest.FixtureRequest) -> Iterator[None]:
    from tests.engines.production import POOL  # noqa: PLC0415  # loads adapters, which an embedded run does without

    addresses = (request.getfixturevalue(name) for name in ("dynamodb_endpoint", "opensearch_url", "aws_endpoint"))
    with POOL.serving(*addresses):
        yield


@pytest.fixture(autouse=True)
def _default_engines(request: pytest.FixtureRequest) -> Iterator[None]:
    if not ON_ENGINES or "integration" not in request.path.parts:
        yield
        return
    from tests.engines.production import POOL  # noqa: PLC0415  # as above

    request.getfixturevalue("_pool")
    _forget_built_adapters()
    yield
    _forget_built_adapters()
    POOL.empty()


def _forget_built_adapters() -> None:
    """Let the next test build its services anew, as a process does: adapters remember what was there."""
    from crm_events import backends, entry  # noqa: PLC0415  # they need Django, which is not set up yet above
    from crm_projections import backends as read_backends  # noqa: PLC0415  # as above
    from crm_projections import entry as read_entry  # noqa: PLC0415  # as above

    for module in (backends, entry, read_backends, read_entry):
        for built in vars(module).values():
            if hasattr(built, "cache_clear"):
                built.cache_clear()
