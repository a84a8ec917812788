from collections.abc import Iterator

import pytest

from crm_events.forwarder import close_connections
from tests.integration.crm_events.forwarder.posted import Gateway, listening


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with listening() as running:
        yield running


@pytest.fixture(autouse=True)
def _connections() -> Iterator[None]:
    yield
    close_connections()
