import re
from html.parser import HTMLParser

import pytest
import requests

from crm_events.simulator.org import SimulatedOrg
from crm_events.simulator.serving import OrgServer
from crm_events.simulator.switches import KINDS
from tests.integration.simulator.client import OrgClient


class Tags(HTMLParser):
    """Every tag of a page with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def page(server: OrgServer) -> str:
    answer = requests.get(f"{server.url}/simulator/", timeout=10)
    assert answer.ok
    return answer.text


def send(server: OrgServer, **form: str) -> requests.Response:
    return requests.post(f"{server.url}/simulator/", data=form, timeout=10)


def test_shows_the_org_and_every_switch(org: SimulatedOrg, server: OrgServer) -> None:
    org.seed_rows("Account", 1_234)
    text = page(server)
    assert "1,234" in text
    ids = {attributes.get("id") for _, attributes in Tags(text).found}
    assert set(KINDS) <= ids


def test_asks_nobody_else_for_anything(server: OrgServer) -> None:
    tags = Tags(page(server)).found
    assert not {tag for tag, _ in tags} & {"script", "link", "img", "iframe"}
    assert not [value for _, attributes in tags for value in attributes.values() if value and "//" in value]
    policy = requests.get(f"{server.url}/simulator/", timeout=10).headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")


def test_is_where_the_root_leads(server: OrgServer) -> None:
    assert requests.get(server.url, timeout=10).url == f"{server.url}/simulator/"


def test_changes_a_hundred_records_at_once(org: SimulatedOrg, server: OrgServer) -> None:
    assert send(server, do="advance").ok
    assert org.mint.counts["transaction"] >= 100


def test_sets_the_chance_of_a_fault(org: SimulatedOrg, server: OrgServer) -> None:
    text = send(server, do="switch", name="duplicate", percent="12.5", value="4").text
    assert (org.switches["duplicate"].chance, org.switches["duplicate"].value) == (0.125, 4)
    assert "12.5 %" in text
    assert "Switched on: repeat events." in text


def test_lets_a_fault_come_the_next_times(org: SimulatedOrg, server: OrgServer) -> None:
    for _ in range(2):
        text = send(server, do="switch", name="expire", once="1", where="/results", percent="50").text
    assert (org.switches["expire"].times, org.switches["expire"].where) == (2, "/results")
    assert org.switches["expire"].chance == 0
    assert "2 more to come" in text


def test_switches_a_state_on_and_off(org: SimulatedOrg, server: OrgServer) -> None:
    send(server, do="switch", name="paused", toggle="on")
    assert org.switches.is_on("paused")
    send(server, do="switch", name="paused", toggle="off")
    assert not org.switches.is_on("paused")


def test_changes_the_pace(server: OrgServer) -> None:
    send(server, do="pace", rate="120")
    assert server.app.control.pace.rate == 120


def test_says_what_went_wrong(org: SimulatedOrg, server: OrgServer) -> None:
    org.switches.note("drop", entity="Account", records=["001<b>", "002"], detail="UPDATE")
    text = page(server)
    assert "001&lt;b&gt; and 1 more" in text
    assert "It came once." in text


def test_refuses_the_form_of_another_page(org: SimulatedOrg, server: OrgServer) -> None:
    answer = requests.post(
        f"{server.url}/simulator/", data={"do": "advance"}, headers={"Origin": "http://evil.example"}, timeout=10
    )
    assert answer.status_code == 403
    assert org.mint.counts["transaction"] == 0


@pytest.mark.parametrize("form", [{"do": "nothing"}, {"do": "switch", "name": "nothing"}, {"do": "pace", "rate": "x"}])
def test_refuses_forms_that_make_no_sense(server: OrgServer, form: dict[str, str]) -> None:
    assert send(server, **form).status_code == 400


def test_needs_no_session(client: OrgClient) -> None:
    client.session.headers.clear()
    assert re.search("<h1>Simulated Salesforce org</h1>", client.call("GET", "/simulator/").text)
