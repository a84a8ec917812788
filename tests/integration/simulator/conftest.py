from collections.abc import Iterator

import pytest

from crm_events.simulator.org import SimulatedOrg
from crm_events.simulator.serving import OrgServer
from tests.integration.simulator.client import OrgClient
from tests.unit.crm_events.simulator.reading import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def org(clock: Clock) -> Iterator[SimulatedOrg]:
    org = SimulatedOrg(clock=clock)
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
