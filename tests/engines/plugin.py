"""Fixtures with the addresses of engines: a running one that the developer names, or a skip that says why not."""

import os
from typing import Final, NoReturn

import pytest

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
# Which variable names a running engine, and the marker that a test gets by asking for the fixture.
FIXTURES: Final = {
    "dynamodb_endpoint": ("dynamodb", "TEST_DYNAMODB_ENDPOINT"),
    "opensearch_url": ("opensearch", "TEST_OPENSEARCH_URL"),
    "aws_endpoint": ("aws", "TEST_AWS_ENDPOINT"),
    "redis_url": ("redis", "TEST_REDIS_URL"),
    "rabbitmq_url": ("rabbitmq", "TEST_RABBITMQ_URL"),
}


def pytest_configure(config: pytest.Config) -> None:
    for name, (marker, _) in FIXTURES.items():
        config.addinivalue_line("markers", f"{marker}: added by itself where a test asks for {name}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for name in FIXTURES.keys() & set(getattr(item, "fixturenames", ())):
            item.add_marker(FIXTURES[name][0])


@pytest.fixture(scope="session")
def dynamodb_endpoint() -> str:
    """Return the address of a DynamoDB that tables may be made in."""
    return _address_of("dynamodb_endpoint")


@pytest.fixture(scope="session")
def opensearch_url() -> str:
    """Return the address of an OpenSearch node without authentication."""
    return _address_of("opensearch_url")


@pytest.fixture(scope="session")
def aws_endpoint() -> str:
    """Return the address that serves events, sqs, lambda, s3 and secretsmanager."""
    return _address_of("aws_endpoint")


@pytest.fixture(scope="session")
def redis_url() -> str:
    """Return the address of a Redis, ``redis://127.0.0.1:port``."""
    return _address_of("redis_url")


@pytest.fixture(scope="session")
def rabbitmq_url() -> str:
    """Return the address of a RabbitMQ, ``amqp://user:password@127.0.0.1:port//``."""
    return _address_of("rabbitmq_url")


def _address_of(fixture: str) -> str:
    marker, variable = FIXTURES[fixture]
    address = os.environ.get(variable, "")
    return address or _refuse(f"no {marker} engine: {variable} names none")


def _refuse(reason: str) -> NoReturn:
    if IN_CI:
        pytest.fail(f"{reason}, and this run must test on it.")
    pytest.skip(reason)
