"""The source against the simulated org, which has its own understanding of Salesforce's pages."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from crm_events.adapters.salesforce.source import SalesforceSource
from crm_events.ports.crm_source import ApiUsage, JobState, RowQuery, SourceAccessError, SourceLimitError
from crm_events.simulator.org import SimulatedOrg
from crm_events.simulator.serving import OrgServer
from crm_events.simulator.web.oauth import ConnectedApp
from tests.fakes import NotedBudget
from tests.integration.salesforce.test_login import a_key, a_pem
from tests.waiting import wait_until

QUERY = RowQuery("Account", ("Id", "Name"))
PUBLIC_KEY = a_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
APP = ConnectedApp(public_key=PUBLIC_KEY)


@pytest.fixture
def org() -> Iterator[SimulatedOrg]:
    org = SimulatedOrg()
    yield org
    org.close()


@pytest.fixture
def server(org: SimulatedOrg) -> Iterator[OrgServer]:
    with OrgServer(org, APP) as server:
        yield server


def by_key(server: OrgServer, **settings: Any) -> SalesforceSource:
    options = {"url": server.url, "client_id": APP.consumer_key, "username": APP.username, "private_key": a_pem()}
    return SalesforceSource(**{**options, "budget": NotedBudget(), "sleep": lambda _seconds: None, **settings})


def test_is_let_in_by_a_signed_assertion(server: OrgServer) -> None:
    by_key(server).ping()


@pytest.mark.parametrize(
    ("wrong", "advice"), [({"client_id": "other"}, "SALESFORCE_CLIENT_ID"), ({"username": "nobody"}, "pre-authorized")]
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_says_why_it_is_not_let_in(server: OrgServer, wrong: dict[str, str], advice: str) -> None:
    with pytest.raises(SourceAccessError, match=advice):
        by_key(server, **wrong).ping()


def test_goes_on_where_a_session_ends_between_pages_of_a_job(org: SimulatedOrg, server: OrgServer) -> None:
    org.seed_rows("Account", 5)
    source = by_key(server)
    job = source.create_job(QUERY)
    wait_until(lambda: source.job(job.id).state is JobState.COMPLETE)
    done = source.job(job.id)
    first = source.job_page(done, QUERY, None, 3)
    server.app.sessions.end_all()
    second = source.job_page(done, QUERY, first.next_cursor, 3)
    assert len({row["Id"] for row in (*first.rows, *second.rows)}) == 5


def test_reads_by_queries_longer_than_an_address(org: SimulatedOrg, server: OrgServer) -> None:
    org.seed_rows("Account", 2_001)
    source = by_key(server)
    columns = source.describe("Account").columns
    where = " OR ".join(f"Name = 'Not this name {n}'" for n in range(600))
    page = source.read(RowQuery("Account", columns, f"Name != null OR {where}"))
    rest = source.read(RowQuery("Account", columns), page.next_cursor)
    assert (len(page.rows), len(rest.rows), page.total) == (2000, 1, 2001)


def test_says_when_the_calls_of_the_day_are_used_up(server: OrgServer) -> None:
    server.app.call_limit = 2
    source = by_key(server)
    source.ping()
    source.ping()
    with pytest.raises(SourceLimitError):
        source.ping()
    assert source.usage() is not None
    assert source.usage() == ApiUsage(3, 2)


@pytest.mark.parametrize("skew", [timedelta(minutes=-7), timedelta(hours=3)])
def test_goes_by_salesforces_clock(org: SimulatedOrg, server: OrgServer, skew: timedelta) -> None:
    org.switches.set("skew", chance=1, value=skew.total_seconds())
    source = by_key(server, username="", private_key="", client_secret=APP.consumer_secret, margin_seconds=0.0)
    for _ in range(5):
        before = org.now()
        began = source.read(QUERY).read_start
        assert before - timedelta(seconds=5) < began <= before + timedelta(milliseconds=50)
