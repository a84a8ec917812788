from typing import Any

import pytest

from crm_events.simulator.org import SimulatedOrg
from tests.integration.simulator.client import OrgClient

API = "/simulator/api/"


def posted(client: OrgClient, path: str, **body: Any) -> Any:
    answer = client.call("POST", API + path, json=body)
    assert answer.ok, answer.text
    return answer.json()


def test_lets_life_go_on(org: SimulatedOrg, client: OrgClient) -> None:
    state = posted(client, "advance", transactions=30)
    assert state["transactions"] >= 30
    assert state["feed"]["waiting"] == org.feed.waiting() >= 30
    assert state["per_minute"] >= 30
    assert sum(one["rows"] for one in state["records"].values()) == org.store.value("SELECT count(*) FROM records")


def test_sets_switches_and_says_how_they_stand(client: OrgClient) -> None:
    switches = posted(client, "switches", drop={"chance": 0.5}, slow={"times": 2, "value": 1})
    found = {one["name"]: (one["chance"], one["times"], one["value"]) for one in switches}
    assert (found["drop"], found["slow"]) == ((0.5, 0, 0), (0, 2, 1))
    assert client.get(f"{API}switches") == switches


def test_tells_the_truth_of_an_object_in_pages(org: SimulatedOrg, client: OrgClient) -> None:
    org.seed_rows("Account", 5)
    first = client.get(f"{API}records/Account", limit="3")
    rest = client.get(f"{API}records/Account", after=first[-1]["fields"]["Id"])
    assert [len(first), len(rest)] == [3, 2]
    assert [one["fields"]["Name"] for one in first + rest] == [f"Row {number}" for number in range(5)]
    assert (first[0]["fields"]["Open_Deals__c"], first[0]["fields"]["Fax"], first[0]["hidden"]) == (0, None, False)


def test_tells_the_truth_of_deleted_and_hidden_records_too(org: SimulatedOrg, client: OrgClient) -> None:
    org.seed_rows("Lead", 2)
    deleted, hidden = (record.id for record in org.store.find("true", order="id"))
    assert posted(client, "acts", act="delete", entity="Lead", ids=[deleted]) == {"records": 1}
    posted(client, "acts", act="hide", entity="Lead", ids=[hidden])
    assert client.get(f"{API}records/Lead/{deleted}")["fields"]["IsDeleted"] is True
    assert client.get(f"{API}records/Lead/{hidden}")["hidden"] is True
    assert client.query("SELECT Id FROM Lead") == []
    posted(client, "acts", act="undelete", entity="Lead", ids=[deleted])
    posted(client, "acts", act="show", entity="Lead", ids=[hidden])
    assert len(client.query("SELECT Id FROM Lead")) == 2


def test_removes_records_for_good(org: SimulatedOrg, client: OrgClient) -> None:
    org.seed_rows("Lead", 1)
    (record,) = org.store.find("true")
    posted(client, "acts", act="purge", entity="Lead", ids=[record.id])
    assert client.call("GET", f"{API}records/Lead/{record.id}").status_code == 404
    (mishap,) = client.get(f"{API}mishaps")
    assert (mishap["name"], mishap["records"]) == ("hard_delete", [record.id])
    assert client.get(f"{API}mishaps", after=str(mishap["n"])) == []
    assert org.feed.waiting() == 0


def test_ends_sessions_cursors_and_jobs_at_once(org: SimulatedOrg, client: OrgClient) -> None:
    org.seed_rows("Account", 2_500)
    page = client.get("query", q="SELECT Id FROM Account")
    job = client.call("POST", "jobs/query", json={"operation": "query", "query": "SELECT Id FROM Account"}).json()
    for act in ("expire_cursors", "fail_jobs", "expire_sessions"):
        posted(client, "acts", act=act)
    assert client.error("GET", "limits") == (401, "INVALID_SESSION_ID")
    client.log_in()
    assert client.error("GET", page["nextRecordsUrl"]) == (400, "INVALID_QUERY_LOCATOR")
    assert client.get(f"jobs/query/{job['id']}")["state"] == "Failed"


def test_changes_the_pace(client: OrgClient) -> None:
    assert posted(client, "pace", rate=120) == {"rate": 120}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("switches", {"nothing": {}}),
        ("switches", {"drop": 1}),
        ("advance", {"transactions": 0}),
        ("advance", {"transactions": "many"}),
        ("acts", {"act": "nothing"}),
        ("acts", {"act": "hide", "entity": "Lead"}),
    ],
)
def test_refuses_what_makes_no_sense(client: OrgClient, path: str, body: dict[str, Any]) -> None:
    assert client.error("POST", API + path, json=body) == (400, "BAD_REQUEST")
