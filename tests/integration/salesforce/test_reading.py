import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime

import pytest

from crm_events.adapters.salesforce.source import SalesforceSource
from crm_events.cdc.snapshot import read_snapshot, snapshot_raw
from crm_events.domain.identifiers import StreamKey
from crm_events.ports.crm_source import CursorExpiredError, RowQuery, SourceRefusedError, SourceUnavailableError
from tests.builders import an_id
from tests.integration.salesforce.conftest import MakeSource
from tests.integration.salesforce.server import DATA, Answer, FakeSalesforce, Request, a_result, an_error

QUERY = RowQuery("Account", ("Id", "Size__c"))
NEXT = f"{DATA}/query/01gR00000ABCDEF-2000"


def a_raw_page(records: str, done: str = "true", more: str = "") -> Answer:
    return Answer(f'{{"totalSize":1,"done":{done},{more}"records":[{records}]}}')


def test_trap_5_keeps_every_digit(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    salesforce.on_query(a_raw_page('{"attributes":{},"Id":"x","Size__c":1745500706683617281.10}'))
    row = source.read(QUERY).rows[0]
    assert str(row["Size__c"]) == "1745500706683617281.10"
    salesforce.on_query(a_raw_page('{"attributes":{},"Id":"x","Size__c":1745500706683617281}'))
    assert source.read(QUERY).rows[0]["Size__c"] == 1745500706683617281


@pytest.mark.parametrize("number", ["0.1", "1e22", "100", "1.0E7", "-0.0", "12345678901234567890.123"])
def test_trap_5_reads_no_float_by_id_either(salesforce: FakeSalesforce, source: SalesforceSource, number: str) -> None:
    salesforce.on("POST", "composite/sobjects/Account", Answer(f'[{{"attributes":{{}},"Size__c":{number}}}]'))
    value = source.read_ids(QUERY, [an_id()]).rows[0]["Size__c"]
    assert not isinstance(value, float)
    assert value == Decimal(number)


def test_rows_go_into_the_log_as_they_are(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    salesforce.on_query(a_raw_page('{"attributes":{},"Id":"x","Size__c":0.10}'))
    stream = StreamKey("Account", an_id())
    raw = snapshot_raw(stream, source.read(QUERY).rows[0], read_start=0, full=True)
    assert read_snapshot(raw).row == {"Id": "x", "Size__c": Decimal("0.10")}


def test_asks_for_columns_and_conditions(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    salesforce.on_query(a_result([]))
    source.read(RowQuery("Account", ("Id", "Name"), " Name = 'a' OR Name = 'b' "))
    asked = salesforce.asked("GET", "query/")[0].query["q"]
    assert asked == "SELECT Id,Name FROM Account WHERE (Name = 'a' OR Name = 'b')"


def test_asks_for_the_recycle_bin_by_query_all(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    salesforce.on_query(a_result([]))
    source.read(RowQuery("Account", ("Id",), include_deleted=True))
    source.count(RowQuery("Account", (), include_deleted=True))
    asked = [request.query["q"] for request in salesforce.asked("GET", "queryAll/")]
    assert asked == ["SELECT Id FROM Account", "SELECT COUNT() FROM Account"]


@pytest.mark.parametrize("columns", [("Id", "Nothing__c"), ("Id", "Owner.Name"), ("Id FROM User--",), ()])
def test_sends_no_column_it_does_not_know(
    salesforce: FakeSalesforce, source: SalesforceSource, columns: tuple[str, ...]
) -> None:
    with pytest.raises(SourceRefusedError):
        source.read(RowQuery("Account", columns))
    assert salesforce.asked("GET", "query/") == []


def test_sends_no_object_that_cannot_be(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    with pytest.raises(SourceRefusedError):
        source.describe("Account/../User")
    with pytest.raises(SourceRefusedError):
        source.count(RowQuery("Account WHERE", ()))
    assert salesforce.requests == []


# Pages


def two_pages(salesforce: FakeSalesforce) -> None:
    salesforce.on_query(a_result([{"Id": "1"}], NEXT, 2))
    salesforce.on("GET", "query/01gR00000ABCDEF-2000", a_result([{"Id": "2"}], None, 2))


def test_goes_on_in_another_process(salesforce: FakeSalesforce, make_source: MakeSource) -> None:
    two_pages(salesforce)
    first = make_source().read(QUERY)
    assert first.next_cursor is not None
    second = make_source().read(QUERY, first.next_cursor)
    assert [row["Id"] for row in second.rows] == ["2"]
    assert (second.read_start, second.total) == (first.read_start, first.total)


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example.com/services/data/v67.0/query/01g-2000",
        "//evil.example.com/services/data/v67.0/query/01g-2000",
        "@evil.example.com/services/data/v67.0/query/01g-2000",
        ".evil.example.com/services/data/v67.0/query/01g-2000",
        "/services/data/v67.0/query/../../../apexrest/x",
        "/services/data/v67.0/query/01g?x=1",
    ],
)
def test_takes_its_token_only_to_pages_of_the_org(
    salesforce: FakeSalesforce, source: SalesforceSource, path: str
) -> None:
    salesforce.on_query(a_result([{"Id": "1"}], path, 2))
    with pytest.raises(SourceUnavailableError, match="BAD_NEXT_PAGE"):
        source.read(QUERY)
    before = len(salesforce.requests)
    with pytest.raises(CursorExpiredError):
        source.read(QUERY, json.dumps([path, 0, 2]))
    assert len(salesforce.requests) == before


@pytest.mark.parametrize(
    "cursor", ["", "x", "[]", "[1,2]", '{"a":1}', "null", '["/services/data/v67.0/query/1","x",2]']
)
def test_says_of_a_cursor_that_is_none_to_begin_again(source: SalesforceSource, cursor: str) -> None:
    with pytest.raises(CursorExpiredError):
        source.read(QUERY, cursor)


@pytest.mark.parametrize("answer", [an_error(400, "INVALID_QUERY_LOCATOR"), an_error(404, "NOT_FOUND")])
def test_says_of_a_cursor_that_salesforce_forgot_to_begin_again(
    salesforce: FakeSalesforce, source: SalesforceSource, answer: Answer
) -> None:
    salesforce.on_query(a_result([{"Id": "1"}], NEXT, 2))
    salesforce.on("GET", "query/01gR00000ABCDEF-2000", answer)
    with pytest.raises(CursorExpiredError):
        source.read(QUERY, source.read(QUERY).next_cursor)


# By id


def test_asks_for_two_thousand_ids_a_call(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    salesforce.on("POST", "composite/sobjects/Account", lambda request: Answer([None] * len(request.json["ids"])))
    ids = [an_id(n) for n in range(1, 5_001)]
    assert list(source.read_ids(QUERY, [*ids, *ids]).rows) == []
    asked = [request.json for request in salesforce.asked("POST")]
    assert [len(body["ids"]) for body in asked] == [2000, 2000, 1000]
    assert asked[0]["fields"] == ["Id", "Size__c"]


def test_asks_for_the_deleted_by_id_in_as_few_calls(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    part = {"body": a_result([{"Id": an_id(1)}]).body, "httpStatusCode": 200, "referenceId": "rows"}
    salesforce.on("POST", "composite", Answer({"compositeResponse": [part]}))
    salesforce.on_query(a_result([]))
    query = RowQuery("Account", ("Id",), "Size__c > 1", include_deleted=True)
    rows = source.read_ids(query, [an_id(n) for n in range(1, 2_002)]).rows
    sent = [request.json["compositeRequest"][0] for request in salesforce.asked("POST", "composite")]
    assert (len(rows), len(sent)) == (1, 1)
    assert sent[0]["url"].startswith(f"{DATA}/queryAll/?q=SELECT%20Id%20FROM%20Account%20WHERE%20%28Size__c")
    assert sent[0]["url"].count("%27001Qy") == 2000
    assert len(salesforce.asked("GET", "queryAll/")) == 1


def test_follows_pages_of_a_search_by_id(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    two_pages(salesforce)
    page = source.read_ids(RowQuery("Account", ("Id",), "Size__c > 1"), [an_id(1), an_id(2)])
    assert ([row["Id"] for row in page.rows], page.total, page.next_cursor) == (["1", "2"], 2, None)


def test_completes_short_ids(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    salesforce.on("POST", "composite/sobjects/Account", Answer([None]))
    source.read_ids(QUERY, [an_id()[:15], an_id()])
    assert salesforce.asked("POST")[0].json["ids"] == [an_id()]


# Long queries


def test_asks_with_any_number_of_columns(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    columns = [f"A_rather_long_name_of_a_column_{n}__c" for n in range(500)]
    salesforce.on_describe("Account", Id="id", **dict.fromkeys(columns, "string"))
    part = {"body": a_result([{"Id": "1"}], NEXT, 2).body, "httpStatusCode": 200, "referenceId": "rows"}
    salesforce.on("POST", "composite", Answer({"compositeResponse": [part]}))
    page = source.read(RowQuery("Account", ("Id", *columns)))
    assert (page.rows, page.total) == ([{"Id": "1"}], 2)
    assert page.next_cursor is not None
    assert salesforce.asked("GET", "query/") == []


def test_hears_of_an_error_in_a_long_query(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    part = {"body": [{"errorCode": "MALFORMED_QUERY", "message": "no"}], "httpStatusCode": 400, "referenceId": "rows"}
    salesforce.on("POST", "composite", Answer({"compositeResponse": [part]}))
    with pytest.raises(SourceRefusedError, match="MALFORMED_QUERY"):
        source.read(RowQuery("Account", ("Id",), f"Name = '{'x' * 9000}'"))


# When a read began


def test_a_read_began_by_salesforces_clock_less_the_margin(salesforce: FakeSalesforce, make_source: MakeSource) -> None:
    salesforce.date = lambda: format_datetime(datetime(2030, 1, 1, 12, 0, 5, tzinfo=UTC), usegmt=True)
    salesforce.on_query(a_result([]))
    now = [50.0]
    page = make_source(margin_seconds=2.0, monotonic=lambda: now[0]).read(QUERY)
    assert page.read_start == datetime(2030, 1, 1, 12, 0, 3, tzinfo=UTC)


def test_a_read_began_before_its_first_attempt(
    salesforce: FakeSalesforce, make_source: MakeSource, slept: list[float]
) -> None:
    moment = datetime(2030, 1, 1, 12, 0, 0, tzinfo=UTC)
    now = [50.0]

    def slowly(_request: Request) -> Answer:
        now[0] += 10
        return an_error(503, "SERVER_UNAVAILABLE")

    salesforce.date = lambda: format_datetime(moment + timedelta(seconds=now[0]), usegmt=True)
    salesforce.on_query(slowly, a_result([]))
    page = make_source(monotonic=lambda: now[0]).read(QUERY)
    assert page.read_start == moment + timedelta(seconds=50)
    assert len(slept) == 1
