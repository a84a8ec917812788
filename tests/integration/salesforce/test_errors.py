import pickle
from threading import Event
from typing import Any

import pytest

from crm_events.adapters.salesforce.calls import Patience
from crm_events.adapters.salesforce.source import SalesforceSource
from crm_events.ports.crm_source import (
    ApiUsage,
    CrmSourceError,
    CursorExpiredError,
    SourceAccessError,
    SourceLimitError,
    SourceRefusedError,
    SourceUnavailableError,
)
from tests.fakes import NotedBudget
from tests.integration.salesforce.conftest import MakeSource
from tests.integration.salesforce.server import Answer, FakeSalesforce, an_error

FINE = Answer([{"label": "x", "url": "y"}])
BUSY = an_error(503, "SERVER_UNAVAILABLE", "busy")


def answering(salesforce: FakeSalesforce, *answers: Answer) -> None:
    salesforce.on("GET", "", *answers)


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (an_error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), SourceLimitError, None),
        (an_error(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit exceeded."), SourceUnavailableError, None),
        (an_error(403, "API_DISABLED_FOR_ORG"), SourceAccessError, None),
        (an_error(400, "INVALID_FIELD"), SourceRefusedError, None),
        (an_error(400, "MALFORMED_QUERY"), SourceRefusedError, None),
        (an_error(400, "INVALID_QUERY_LOCATOR"), CursorExpiredError, None),
        (an_error(400, "QUERY_TIMEOUT"), SourceUnavailableError, None),
        (an_error(404, "NOT_FOUND"), SourceRefusedError, None),
        (an_error(500, "UNKNOWN_EXCEPTION"), SourceUnavailableError, None),
        (BUSY, SourceUnavailableError, "SERVER_UNAVAILABLE"),
        (Answer("<html>Down for maintenance</html>", 503), SourceUnavailableError, "HTTP_503"),
        (Answer("<html>Bad gateway</html>", 502), SourceUnavailableError, "HTTP_502"),
        (Answer("", 429), SourceUnavailableError, "HTTP_429"),
        (Answer({"error": "odd", "error_description": "dict"}, 400), SourceRefusedError, "odd"),
        (Answer("plain", 400), SourceRefusedError, "HTTP_400"),
        (Answer([], 400), SourceRefusedError, "HTTP_400"),
        (Answer("", 302, {"Location": "https://evil.example.com/"}), SourceAccessError, "HTTP_302"),
        (Answer("<html>Please log in</html>"), SourceUnavailableError, "NO_JSON"),
        (Answer("", hang_up=True), SourceUnavailableError, "NO_CONNECTION"),
    ],
    ids=str,
)
def test_trap_10_tells_errors_apart_by_their_code(
    salesforce: FakeSalesforce,
    source: SalesforceSource,
    answer: Answer,
    kind: type[CrmSourceError],
    code: str | None,
) -> None:
    answering(salesforce, answer)
    with pytest.raises(CrmSourceError) as raised:
        source.ping()
    wanted = code or answer.body[0]["errorCode"]
    assert (type(raised.value), raised.value.code) == (kind, wanted)


def test_trap_10_errors_survive_a_task_queue(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    answering(salesforce, an_error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))
    with pytest.raises(SourceLimitError) as raised:
        source.ping()
    error = pickle.loads(pickle.dumps(raised.value))  # noqa: S301  # our own
    assert (type(error), error.code, str(error)) == (SourceLimitError, raised.value.code, str(raised.value))


def test_tries_again_what_passes(salesforce: FakeSalesforce, source: SalesforceSource, slept: list[float]) -> None:
    answering(salesforce, BUSY, Answer("", hang_up=True), Answer("<html>"), FINE)
    source.ping()
    assert [0.25 <= slept[0] <= 0.5, 0.5 <= slept[1] <= 1, 1 <= slept[2] <= 2] == [True] * 3


def test_gives_up_after_some_attempts(salesforce: FakeSalesforce, make_source: MakeSource) -> None:
    answering(salesforce, BUSY)
    with pytest.raises(SourceUnavailableError):
        make_source(patience=Patience(attempts=3)).ping()
    assert len(salesforce.asked("GET", "")) == 3


@pytest.mark.parametrize("answer", [an_error(400, "INVALID_FIELD"), an_error(403, "REQUEST_LIMIT_EXCEEDED", "Total")])
def test_does_not_repeat_what_repeating_does_not_help(
    salesforce: FakeSalesforce, source: SalesforceSource, answer: Answer
) -> None:
    answering(salesforce, answer)
    with pytest.raises(CrmSourceError):
        source.ping()
    assert len(salesforce.asked("GET", "")) == 1


def test_waits_as_long_as_salesforce_asks(
    salesforce: FakeSalesforce, source: SalesforceSource, slept: list[float]
) -> None:
    answering(salesforce, Answer("", 503, {"Retry-After": "7"}), Answer("", 503, {"Retry-After": "9000"}), FINE)
    source.ping()
    assert slept == [7, 20]


def test_waits_at_different_times_in_different_processes() -> None:
    waits = {Patience().wait(4, None) for _ in range(20)}
    assert len(waits) == 20
    assert min(waits) >= 2
    assert max(waits) <= 4


def test_trap_10_does_not_wait_for_ever(salesforce: FakeSalesforce, make_source: MakeSource) -> None:
    def stuck(_request: Any) -> Answer:
        Event().wait(1)
        return FINE

    salesforce.on("GET", "", stuck)
    source = make_source(read_timeout=0.05, patience=Patience(attempts=1))
    with pytest.raises(SourceUnavailableError, match="TIMEOUT"):
        source.ping()


def test_says_when_nobody_is_there(make_source: MakeSource) -> None:
    source = make_source(url="http://127.0.0.1:9", patience=Patience(attempts=1))
    with pytest.raises(SourceUnavailableError, match="NO_CONNECTION"):
        source.ping()


@pytest.mark.parametrize("body", [{}, [1], {"fields": 5}, {"fields": [{"type": "string"}]}])
def test_says_when_an_answer_is_not_salesforces(
    salesforce: FakeSalesforce, source: SalesforceSource, body: object
) -> None:
    salesforce.on("GET", "sobjects/Account/describe", Answer(body))
    with pytest.raises(SourceUnavailableError, match="BAD_ANSWER"):
        source.describe("Account")


def test_sends_its_token_nowhere_else(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    with FakeSalesforce().running() as other:
        answering(salesforce, Answer("", 302, {"Location": f"{other.url}/services/data/v67.0/"}))
        with pytest.raises(SourceAccessError):
            source.ping()
        assert other.requests == []


# What the org's use is


def test_tells_the_budget_of_the_use_with_every_answer(
    salesforce: FakeSalesforce, source: SalesforceSource, budget: NotedBudget
) -> None:
    refused = Answer([{"errorCode": "X", "message": "no"}], 400, {"Sforce-Limit-Info": "api-usage=19/5000"})
    answering(salesforce, Answer([1], headers={"Sforce-Limit-Info": "api-usage=18/5000"}), refused)
    assert source.usage() is None
    source.ping()
    with pytest.raises(SourceRefusedError):
        source.ping()
    assert budget.noted == [ApiUsage(18, 5000), ApiUsage(19, 5000)]
    assert source.usage() == ApiUsage(19, 5000)


def test_minds_the_limit_of_the_connected_app_where_it_is_nearer(
    salesforce: FakeSalesforce, source: SalesforceSource
) -> None:
    info = "api-usage=25/5000; per-app-api-usage=200/250(appName=sample-connected-app)"
    answering(salesforce, Answer([1], headers={"Sforce-Limit-Info": info}))
    source.ping()
    assert source.usage() == ApiUsage(200, 250)


@pytest.mark.parametrize("info", [None, "", "nonsense", "api-usage=x/y", "api-usage=5/0"])
def test_does_without_the_use(salesforce: FakeSalesforce, source: SalesforceSource, info: str | None) -> None:
    answering(salesforce, Answer([1], headers={"Sforce-Limit-Info": info}))
    source.ping()
    assert source.usage() is None


def test_tells_the_budget_when_no_calls_are_left(
    salesforce: FakeSalesforce, source: SalesforceSource, budget: NotedBudget
) -> None:
    known = Answer([1], headers={"Sforce-Limit-Info": "api-usage=4000/5000"})
    answering(salesforce, known, an_error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))
    source.ping()
    with pytest.raises(SourceLimitError):
        source.ping()
    assert budget.noted[-1] == ApiUsage(5000, 5000)
