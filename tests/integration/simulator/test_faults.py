import pytest
import requests

from crm_events.simulator.org import SimulatedOrg
from tests.integration.simulator.client import OrgClient


def test_ends_the_session_of_a_call(org: SimulatedOrg, client: OrgClient) -> None:
    org.switches.set("expire", times=1, where="limits")
    assert client.get("sobjects")
    assert client.error("GET", "limits") == (401, "INVALID_SESSION_ID")
    assert client.error("GET", "sobjects") == (401, "INVALID_SESSION_ID")
    client.log_in()
    assert client.get("limits")


def test_ends_a_session_in_the_middle_of_a_download(org: SimulatedOrg, client: OrgClient) -> None:
    org.seed_rows("Account", 2_500)
    org.switches.set("expire", times=1, where="/query/01g")
    page = client.get("query", q="SELECT Id FROM Account")
    assert client.error("GET", page["nextRecordsUrl"]) == (401, "INVALID_SESSION_ID")
    client.log_in()
    assert len(client.get(page["nextRecordsUrl"])["records"]) == 500


def test_uses_up_the_calls(org: SimulatedOrg, client: OrgClient) -> None:
    org.switches.set("limit", times=1)
    assert client.error("GET", "limits") == (403, "REQUEST_LIMIT_EXCEEDED")


def test_is_unavailable(org: SimulatedOrg, client: OrgClient) -> None:
    org.switches.set("unavailable", times=1)
    assert client.error("GET", "limits") == (503, "SERVER_UNAVAILABLE")


def test_is_slow(org: SimulatedOrg, client: OrgClient) -> None:
    org.switches.set("slow", times=1, value=0.3)
    with pytest.raises(requests.ReadTimeout):
        client.session.get(f"{client.server.url}/services/data/v66.0/limits", timeout=0.1)


def test_cuts_a_connection_before_the_answer(org: SimulatedOrg, client: OrgClient) -> None:
    org.switches.set("reset", times=1)
    with pytest.raises(requests.ConnectionError):
        client.call("GET", "limits")
    assert client.get("limits")


def test_cuts_a_connection_in_the_middle_of_an_answer(org: SimulatedOrg, client: OrgClient) -> None:
    org.switches.set("reset", times=1, value=20)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        client.call("GET", "limits")


def test_notes_what_it_did_to_which_call(org: SimulatedOrg, client: OrgClient) -> None:
    org.switches.set("unavailable", times=1)
    client.call("GET", "limits")
    (mishap,) = org.mishaps.after(0, 10)
    assert (mishap["name"], mishap["detail"]) == ("unavailable", "GET /services/data/v66.0/limits")


def test_leaves_its_own_addresses_alone(org: SimulatedOrg, client: OrgClient) -> None:
    org.switches.set("unavailable", chance=1)
    assert client.call("GET", "/simulator/api/state").ok
