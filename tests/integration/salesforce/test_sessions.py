from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from crm_events.adapters.salesforce.source import SalesforceSource
from crm_events.ports.crm_source import JobState, RowQuery, SourceAccessError
from tests.builders import an_id
from tests.integration.salesforce.conftest import MakeSource
from tests.integration.salesforce.server import TOKEN, Answer, FakeSalesforce, Request, Script, a_result, an_error

EXPIRED = an_error(401, "INVALID_SESSION_ID", "Session expired or invalid")
QUERY = RowQuery("Account", ("Id",))
ROWS = a_result([{"Id": an_id()}])
JOB_ID = "750R0000000zlh9IAA"
A_JOB = {
    "id": JOB_ID,
    "state": "JobComplete",
    "createdDate": "2026-10-06T07:00:00.000+0000",
    "numberRecordsProcessed": 2,
}


def good_for(*tokens: str) -> Script:
    """Answer only requests that bring one of the tokens."""

    def answer(request: Request) -> Answer:
        return ROWS if request.headers["Authorization"].removeprefix("Bearer ") in tokens else EXPIRED

    return answer


def test_logs_in_once_for_many_calls(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    salesforce.on_query(ROWS)
    for _ in range(5):
        source.read(QUERY)
    assert salesforce.tokens == 1


def test_trap_10_logs_in_again_when_the_session_has_ended(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    salesforce.on_query(EXPIRED, ROWS)
    assert len(source.read(QUERY).rows) == 1
    assert salesforce.tokens == 2


def test_trap_10_ends_when_new_sessions_are_refused_too(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    salesforce.on_query(EXPIRED)
    source.describe("Account")
    with pytest.raises(SourceAccessError, match="INVALID_SESSION_ID"):
        source.read(QUERY)
    assert (salesforce.tokens, len(salesforce.asked("GET", "query/"))) == (2, 2)


@pytest.mark.parametrize(
    ("call", "path"), [("describe", "sobjects/Account/describe"), ("updated", "sobjects/Account/updated/")]
)
def test_trap_10_calls_of_an_object_end_as_well(
    salesforce: FakeSalesforce, source: SalesforceSource, call: str, path: str
) -> None:
    salesforce.on("GET", path, EXPIRED)
    arguments: list[Any] = ["Account"] if call == "describe" else ["Account", *_a_window()]
    with pytest.raises(SourceAccessError):
        getattr(source, call)(*arguments)
    assert len(salesforce.asked("GET", path)) == 2


def _a_window() -> tuple[datetime, datetime]:
    return datetime(2026, 10, 6, 7, 0, tzinfo=UTC), datetime(2026, 10, 6, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "body", ["Session expired", {"error": "invalid_token"}, [], "", {"message": "no", "errorCode": "X"}, [1]]
)
def test_trap_10_understands_a_refused_session_in_any_form(
    salesforce: FakeSalesforce, source: SalesforceSource, body: object
) -> None:
    salesforce.on_query(Answer(body, 401), ROWS, Answer(body, 401))
    assert len(source.read(QUERY).rows) == 1
    with pytest.raises(SourceAccessError):
        source.read(QUERY)


def test_trap_10_goes_on_with_a_download_whose_session_ended(
    salesforce: FakeSalesforce, source: SalesforceSource
) -> None:
    pages = {"": ('"Id"\n"1"\n', "second"), "second": ('"Id"\n"2"\n', "null")}

    def a_page(request: Request) -> Answer:
        text, following = pages[request.query.get("locator", "")]
        return Answer(text, headers={"Sforce-Locator": following})

    salesforce.on("GET", f"jobs/query/{JOB_ID}", Answer(A_JOB))
    salesforce.on("GET", f"jobs/query/{JOB_ID}/results", a_page, EXPIRED, a_page)
    job = source.job(JOB_ID)
    assert job.state is JobState.COMPLETE
    first = source.job_page(job, QUERY)
    second = source.job_page(job, QUERY, first.next_cursor)
    assert [row["Id"] for row in (*first.rows, *second.rows)] == ["1", "2"]
    assert (salesforce.tokens, second.next_cursor) == (2, None)


def test_threads_share_a_session_and_its_renewal(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    salesforce.on_query(ROWS)
    source.read(QUERY)
    salesforce.on_query(good_for("token-2"))
    with ThreadPoolExecutor(8) as pool:
        pages = list(pool.map(lambda _: source.read(QUERY), range(24)))
    assert all(len(page.rows) == 1 for page in pages)
    assert salesforce.tokens == 2


def test_renews_a_session_before_it_ends(salesforce: FakeSalesforce, make_source: MakeSource) -> None:
    now = [1000.0]
    source = make_source(session_minutes=10, monotonic=lambda: now[0])
    salesforce.on_query(ROWS)
    source.read(QUERY)
    now[0] += 9 * 60
    source.read(QUERY)
    assert salesforce.tokens == 1
    now[0] += 60
    source.read(QUERY)
    assert (salesforce.tokens, len(salesforce.asked("GET", "query/"))) == (2, 3)


def test_a_refused_login_is_not_repeated(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    salesforce.on("POST", TOKEN, Answer({"error": "invalid_client"}, 401))
    with pytest.raises(SourceAccessError):
        source.ping()
    assert len(salesforce.requests) == 1


def test_asks_for_no_pretty_answers(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    salesforce.on_query(ROWS)
    source.read(QUERY)
    assert not any("X-PrettyPrint" in request.headers for request in salesforce.requests)
