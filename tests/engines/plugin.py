"""Fixtures with the addresses of engines: started when a test asks, or a skip that says why there is none."""

from collections.abc import Iterator
from typing import Final

import pytest

from engines.catalogue import ENGINES
from tests.engines.desk import Answer, Desk, ask_the_first_process, named_by_developer
from tests.engines.environment import IN_CI, IS_WORKER

# A test that asks for the fixture gets the engine's name as a marker.
FIXTURES: Final = {
    "dynamodb_endpoint": "dynamodb",
    "opensearch_url": "opensearch",
    "aws_endpoint": "aws",
    "redis_url": "redis",
    "rabbitmq_url": "rabbitmq",
}
# AWS's own address: moto answers for it inside this process, so that nothing is sent.
MOTO_ENDPOINT: Final = "https://dynamodb.us-east-1.amazonaws.com"
_desk = Desk()


def pytest_configure(config: pytest.Config) -> None:
    for fixture, name in FIXTURES.items():
        config.addinivalue_line("markers", f"{name}: added by itself where a test asks for {fixture}")
    concurrent = "concurrent_store: its promise holds only on a DynamoDB that is a process of its own, not on moto"
    config.addinivalue_line("markers", concurrent)
    if IS_WORKER:
        return
    if IN_CI and (missing := [f"{ENGINES[n].product}: {why}" for n in FIXTURES.values() if (why := _why_none(n))]):
        raise pytest.UsageError(f"This run must test on every engine: {'. '.join(missing)}.")
    if getattr(config.option, "numprocesses", None):
        _desk.listen()


def pytest_unconfigure() -> None:
    if not IS_WORKER:
        _desk.close()


def pytest_report_header() -> list[str]:
    return [f"{ENGINES[name].serves}: {_server_of(name)}" for name in FIXTURES.values()]


def _server_of(name: str) -> str:
    if url := named_by_developer(name):
        return f"{url}, named by the environment"
    if why := _why_none(name):
        stand_in = "moto for tests without concurrency" if name == "dynamodb" else "none, its tests are skipped"
        return f"{stand_in}: {why}"
    return f"{ENGINES[name].title}, started when a test asks for it"


def _why_none(name: str) -> str | None:
    return None if named_by_developer(name) else ENGINES[name].why_missing()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for fixture in FIXTURES.keys() & set(getattr(item, "fixturenames", ())):
            item.add_marker(FIXTURES[fixture])


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("concurrent_store") and item.get_closest_marker("dynamodb"):
        _url(_ask("dynamodb"))


def _ask(name: str) -> Answer:
    return ask_the_first_process(name) if IS_WORKER else _desk.ask(name)


def _url(answer: Answer) -> str:
    if answer.failed:
        pytest.fail(answer.failed, pytrace=False)
    if answer.missing and IN_CI:
        pytest.fail(f"{answer.missing}, and this run must test on it.", pytrace=False)
    if answer.missing:
        pytest.skip(answer.missing)
    return answer.url


@pytest.fixture(scope="session")
def dynamodb_endpoint() -> Iterator[str]:
    """Give the address of a DynamoDB to make tables in; moto's where this machine cannot run DynamoDB Local."""
    answer = _ask("dynamodb")
    if answer.missing and not IN_CI:
        from moto import mock_aws  # noqa: PLC0415  # most runs do without

        with mock_aws():
            yield MOTO_ENDPOINT
    else:
        yield _url(answer)


@pytest.fixture(scope="session")
def opensearch_url() -> str:
    """Give the address of an OpenSearch node without authentication."""
    return _url(_ask("opensearch"))


@pytest.fixture(scope="session")
def aws_endpoint() -> str:
    """Give the address that serves events, sqs, lambda, s3 and secretsmanager."""
    return _url(_ask("aws"))


@pytest.fixture(scope="session")
def redis_url() -> str:
    """Give the address of a Redis, ``redis://127.0.0.1:port/0``."""
    return _url(_ask("redis"))


@pytest.fixture(scope="session")
def rabbitmq_url() -> str:
    """Give the address of a RabbitMQ, ``amqp://user:password@127.0.0.1:port//``."""
    return _url(_ask("rabbitmq"))
