import csv
import io
from pathlib import Path
from typing import Any

import pytest
import requests

from crm_events.simulator.org import SimulatedOrg
from crm_events.simulator.records import Record
from crm_events.simulator.serving import OrgServer
from tests.integration.simulator.client import OrgClient
from tests.unit.crm_events.simulator.reading import Clock
from tests.waiting import wait_until


def a_job(client: OrgClient, soql: str, operation: str = "query", **more: str) -> str:
    answer = client.call("POST", "jobs/query", json={"operation": operation, "query": soql, **more})
    assert answer.ok, answer.text
    assert answer.json()["state"] == "UploadComplete"
    return str(answer.json()["id"])


def state(client: OrgClient, job: str) -> str:
    return str(client.get(f"jobs/query/{job}")["state"])


def complete(client: OrgClient, soql: str, operation: str = "query", **more: str) -> str:
    job = a_job(client, soql, operation, **more)
    wait_until(lambda: state(client, job) == "JobComplete")
    return job


def pages(client: OrgClient, job: str, size: int = 50_000) -> list[requests.Response]:
    found = [client.call("GET", f"jobs/query/{job}/results", params={"maxRecords": str(size)})]
    while (locator := found[-1].headers["Sforce-Locator"]) != "null":
        query = {"maxRecords": str(size), "locator": locator}
        found.append(client.call("GET", f"jobs/query/{job}/results", params=query))
    return found


def rows(text: str) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def put(org: SimulatedOrg, entity: str, **fields: Any) -> Record:
    record = Record(entity, org.mint.record_id(entity), fields, modified_ms=1_791_271_205_000)
    org.store.put([record])
    return record


def test_works_for_a_while_before_it_is_complete(org: SimulatedOrg, client: OrgClient) -> None:
    org.seed_rows("Account", 3)
    job = a_job(client, "SELECT Id FROM Account")
    assert client.error("GET", f"jobs/query/{job}/results") == (400, "INVALIDJOBSTATE")
    assert state(client, job) == "InProgress"
    wait_until(lambda: state(client, job) == "JobComplete")
    assert client.get(f"jobs/query/{job}")["numberRecordsProcessed"] == 3


def test_writes_values_as_bulk_does(org: SimulatedOrg, client: OrgClient) -> None:
    text = 'Says "no",\r\nand goes'
    put(
        org,
        "Opportunity",
        Name=text,
        Amount=100,
        IsClosed=False,
        CreatedDate="2026-10-06T07:20:05.000Z",
    )
    columns = "Name, Amount, ContractId, IsClosed, CreatedDate, SystemModstamp"
    (page,) = pages(client, complete(client, f"SELECT {columns} FROM Opportunity"))
    assert rows(page.text) == [
        {
            "Name": text,
            "Amount": "100.0",
            "ContractId": "",
            "IsClosed": "false",
            "CreatedDate": "2026-10-06T07:20:05.000Z",
            "SystemModstamp": "2026-10-06T07:20:05.000Z",
        }
    ]
    assert page.text.startswith('"Name","Amount",')


def test_pages_by_locator_with_the_header_on_every_page(org: SimulatedOrg, client: OrgClient) -> None:
    org.seed_rows("Account", 25)
    found = pages(client, complete(client, "SELECT Id FROM Account"), 10)
    assert [page.headers["Sforce-NumberOfRecords"] for page in found] == ["10", "10", "5"]
    assert all(page.text.startswith('"Id"\n') for page in found)
    ids = [row["Id"] for page in found for row in rows(page.text)]
    assert sorted(ids) == sorted(record.id for record in org.store.find("true"))
    assert ids != sorted(ids)


def test_serves_a_page_again_as_it_was(org: SimulatedOrg, client: OrgClient) -> None:
    org.seed_rows("Account", 25)
    job = complete(client, "SELECT Id, Phone FROM Account")
    first, second, _ = pages(client, job, 10)
    org.change(org.store.find("true")[0], {"Phone": "1"})
    query = {"maxRecords": "10", "locator": first.headers["Sforce-Locator"]}
    assert client.call("GET", f"jobs/query/{job}/results", params=query).content == second.content


def test_takes_another_delimiter_and_line_ending(org: SimulatedOrg, client: OrgClient) -> None:
    org.seed_rows("Lead", 1)
    job = complete(client, "SELECT Company, Status FROM Lead", columnDelimiter="PIPE", lineEnding="CRLF")
    assert pages(client, job)[0].text == '"Company"|"Status"\r\n"Row 0"|"Open"\r\n'


def test_adds_deleted_rows_when_asked(org: SimulatedOrg, client: OrgClient) -> None:
    org.seed_rows("Account", 2)
    org.delete([org.store.find("true")[0]])
    counts = []
    for operation in ("query", "queryAll"):
        (page,) = pages(client, complete(client, "SELECT Id, IsDeleted FROM Account", operation))
        counts.append(sorted(row["IsDeleted"] for row in rows(page.text)))
    assert counts == [["false"], ["false", "true"]]


def test_answers_with_a_header_where_there_are_no_rows(client: OrgClient) -> None:
    (page,) = pages(client, complete(client, "SELECT Id FROM Account"))
    assert (page.text, page.headers["Sforce-NumberOfRecords"]) == ('"Id"\n', "0")


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT BillingAddress FROM Account", "API_ERROR"),
        ("SELECT COUNT() FROM Account", "API_ERROR"),
        ("SELECT Nothing FROM Account", "INVALID_FIELD"),
    ],
)
def test_refuses_what_bulk_cannot_do(client: OrgClient, soql: str, code: str) -> None:
    assert client.error("POST", "jobs/query", json={"operation": "query", "query": soql}) == (400, code)


def test_wants_the_version_that_the_job_was_made_with(client: OrgClient) -> None:
    job = complete(client, "SELECT Id FROM Account")
    path = f"/services/data/v60.0/jobs/query/{job}/results"
    assert client.error("GET", path) == (409, "API_VERSION_MISMATCH")


def test_aborts_a_job_and_forgets_it(client: OrgClient) -> None:
    job = a_job(client, "SELECT Id FROM Account")
    assert client.error("DELETE", f"jobs/query/{job}") == (400, "INVALIDJOBSTATE")
    assert client.call("PATCH", f"jobs/query/{job}", json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert client.error("GET", f"jobs/query/{job}/results") == (400, "INVALIDJOBSTATE")
    assert client.call("DELETE", f"jobs/query/{job}").status_code == 204
    assert client.error("GET", f"jobs/query/{job}") == (404, "NOT_FOUND")


def test_forgets_jobs_after_seven_days(clock: Clock, client: OrgClient) -> None:
    job = complete(client, "SELECT Id FROM Account")
    clock.move(7 * 86_400 + 1)
    client.log_in()
    a_job(client, "SELECT Id FROM Account")
    assert client.error("GET", f"jobs/query/{job}") == (404, "NOT_FOUND")


def test_fails_jobs_where_that_is_switched_on(org: SimulatedOrg, client: OrgClient) -> None:
    org.switches.set("fail_job", times=1)
    job = a_job(client, "SELECT Id FROM Account")
    shown = client.get(f"jobs/query/{job}")
    assert (shown["state"], shown["errorMessage"]) == ("Failed", "InternalServerError: the job was let fail")


def test_goes_on_with_its_jobs_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "org.sqlite3"
    org = SimulatedOrg(path)
    org.seed_rows("Account", 5)
    with OrgServer(org) as server:
        client = OrgClient(server)
        complete_job = complete(client, "SELECT Id FROM Account")
        begun = a_job(client, "SELECT Name FROM Account")
        client.session.close()
    org.close()
    again = SimulatedOrg(path)
    with OrgServer(again) as server:
        client = OrgClient(server)
        assert len(rows(pages(client, complete_job)[0].text)) == 5
        wait_until(lambda: state(client, begun) == "JobComplete")
        assert len(rows(pages(client, begun)[0].text)) == 5
        client.session.close()
    again.close()
