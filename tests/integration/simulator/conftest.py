from collections.abc import Iterator

import pytest

from crm_events.simulator.org import SimulatedOrg
from crm_events.simulator.serving import OrgServer
from tests.integration.simulator.client import OrgClient


@pytest.fixture
def org() -> Iterator[SimulatedOrg]:
    org = SimulatedOrg()
    yield org
    org.close()


@pytest.fixture
def server(org: SimulatedOrg) -> Iterator[OrgServer]:
    with OrgServer(org) as server:
        yield server


@pytest.fixture
def client(server: OrgServer) -> Iterator[OrgClient]:
    client = OrgClient(server)
    yield client
    client.session.close()
