from urllib.parse import quote

import pytest

from crm_events.simulator.org import SimulatedOrg
from tests.integration.simulator.client import VERSION, OrgClient


def test_answers_with_the_columns_in_the_order_and_spelling_of_the_schema(org: SimulatedOrg, client: OrgClient) -> None:
    org.seed_rows("Account", 1)
    (row,) = client.query("SELECT phone, NAME, BillingAddress FROM account")
    assert list(row) == ["Phone", "Name", "BillingAddress"]
    assert row["BillingAddress"]["city"] == "London"


def test_pages_by_a_relative_address_that_says_query_for_query_all_too(org: SimulatedOrg, client: OrgClient) -> None:
    org.seed_rows("Account", 4_100)
    page = client.get("queryAll", q="SELECT Id FROM Account")
    sizes = [len(page["records"])]
    while not page["done"]:
        assert page["nextRecordsUrl"].startswith(f"/services/data/v{VERSION}/query/01g")
        page = client.get(page["nextRecordsUrl"])
        sizes.append(len(page["records"]))
    assert sizes == [2_000, 2_000, 100]


def test_serves_the_rows_as_of_the_query(org: SimulatedOrg, client: OrgClient) -> None:
    org.seed_rows("Account", 2_001)
    page = client.get("query", q="SELECT Id, Name FROM Account")
    last = org.store.find("entity = 'Account'", order="id DESC")[0]
    org.change(last, {"Name": "Renamed"})
    assert client.get(page["nextRecordsUrl"])["records"][0]["Name"] == "Row 2000"


def test_forgets_a_locator_that_is_too_old(org: SimulatedOrg, client: OrgClient) -> None:
    org.seed_rows("Account", 2_001)
    page = client.get("query", q="SELECT Id FROM Account")
    client.server.app.queries.expire()
    assert client.error("GET", page["nextRecordsUrl"]) == (400, "INVALID_QUERY_LOCATOR")


def test_refuses_an_address_that_is_too_long(client: OrgClient) -> None:
    soql = quote("SELECT Id FROM Account WHERE Name = ")
    assert client.call("GET", f"query?q={soql}{'x' * 16_400}").status_code == 414


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT Id FRO Account", "MALFORMED_QUERY"),
        ("SELECT Nothing FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Nothing", "INVALID_TYPE"),
        ("SELECT Id FROM Account WHERE Id = 'x'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Account WHERE Description = 'x'", "INVALID_FIELD"),
    ],
)
def test_says_what_is_wrong_with_a_query(client: OrgClient, soql: str, code: str) -> None:
    assert client.error("GET", "query", params={"q": soql}) == (400, code)


def test_counts_every_call_and_says_so(client: OrgClient) -> None:
    used = [client.call("GET", "limits").headers["Sforce-Limit-Info"] for _ in range(2)]
    assert used == ["api-usage=1/100000", "api-usage=2/100000"]


def test_refuses_calls_beyond_the_daily_limit(client: OrgClient) -> None:
    client.server.app.call_limit = 0
    assert client.error("GET", "limits") == (403, "REQUEST_LIMIT_EXCEEDED")


def test_lets_nobody_in_without_a_session(client: OrgClient) -> None:
    client.session.headers["Authorization"] = "Bearer nobody"
    assert client.error("GET", "limits") == (401, "INVALID_SESSION_ID")
