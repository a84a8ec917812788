"""``make run`` as it comes: the service and a simulated Salesforce org beside it."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from crm_events.simulator.web.oauth import ConnectedApp
from tests.e2e.serving import RunningService, free_port
from tests.waiting import wait_until

API = "/services/data/v66.0"


class Salesforce:
    """The org, for somebody who works in it."""

    def __init__(self, url: str) -> None:
        self.url = url
        app = ConnectedApp()
        form = {"client_id": app.consumer_key, "client_secret": app.consumer_secret}
        answer = requests.post(
            f"{url}/services/oauth2/token", data={"grant_type": "client_credentials", **form}, timeout=10
        )
        self._headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def call(self, method: str, path: str, **body: Any) -> requests.Response:
        answer = requests.request(method, f"{self.url}{path}", json=body, headers=self._headers, timeout=20)
        assert answer.ok, answer.text
        return answer

    def create(self, **values: Any) -> str:
        return str(self.call("POST", f"{API}/sobjects/Account", **values).json()["id"])


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    port = str(free_port())
    variables = {"SIMULATOR_PORT": port, "SIMULATOR_ACCOUNTS": "40"}
    with RunningService(tmp_path_factory.mktemp("simulator") / "var", demo=True, port=None, **variables) as running:
        url = f"http://127.0.0.1:{port}"
        assert f"{url}/simulator/" in running.output()
        wait_until(lambda: "changes a minute" in running.output(), timeout=120)
        yield running


@pytest.fixture
def salesforce(service: RunningService) -> Salesforce:
    return Salesforce(service.output().partition("  Salesforce ")[2].partition("/simulator/")[0])


def client_of(service: RunningService, record_id: str) -> dict[str, Any]:
    answer = service.request("GET", f"/api/v1/clients/{record_id}/")
    found: dict[str, Any] = answer.json() if answer.ok else {}
    return found


def test_history_of_the_org_can_be_read(service: RunningService) -> None:
    wait_until(lambda: service.request("GET", "/api/v1/clients/").json()["count"] > 25, timeout=60)


def test_change_in_the_org_arrives(service: RunningService, salesforce: Salesforce) -> None:
    record_id = salesforce.create(Name="Lindqvist Marine AB", BillingCity="Visby")
    wait_until(lambda: client_of(service, record_id).get("billing_city") == "Visby")
    salesforce.call("PATCH", f"{API}/sobjects/Account/{record_id}", BillingCity="Slite")
    wait_until(lambda: client_of(service, record_id)["billing_city"] == "Slite")


def test_change_that_came_without_values_is_read_from_the_org(service: RunningService, salesforce: Salesforce) -> None:
    record_id = salesforce.create(Name="Gotska Varv", Phone="1")
    wait_until(lambda: client_of(service, record_id))
    salesforce.call("POST", "/simulator/api/pace", rate=0)
    salesforce.call("POST", "/simulator/api/switches", gap_update={"times": 1})
    salesforce.call("PATCH", f"{API}/sobjects/Account/{record_id}", Phone="2")
    wait_until(lambda: client_of(service, record_id)["phone"] == "2", timeout=90)


def test_org_is_found_again_after_a_restart(service: RunningService, salesforce: Salesforce) -> None:
    record_id = salesforce.create(Name="Kept AB")
    assert service.stop() == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(salesforce.url, timeout=5)
    service.start()
    wait_until(lambda: service.output().count("changes a minute") == 2)
    again = Salesforce(salesforce.url)
    assert again.call("GET", f"{API}/sobjects/Account/{record_id}").json()["Name"] == "Kept AB"
    assert service.output().count("of the last 90 days") == 1
    wait_until(lambda: client_of(service, record_id))
