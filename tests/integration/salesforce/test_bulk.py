import gzip
from decimal import Decimal

import pytest

from crm_events.adapters.salesforce.calls import Patience
from crm_events.adapters.salesforce.source import SalesforceSource
from crm_events.ports.crm_source import (
    BulkJob,
    CursorExpiredError,
    JobFailedError,
    JobState,
    RowQuery,
    SourceUnavailableError,
)
from tests.integration.salesforce.conftest import MakeSource
from tests.integration.salesforce.server import DATA, Answer, FakeSalesforce, Request, an_error

QUERY = RowQuery("Account", ("Id", "Name", "Size__c", "Open__c"))
JOB_ID = "750R0000000zlh9IAA"
CREATED = "2026-10-06T07:00:00.000+0000"
HEADER = '"Id","Name","Size__c","Open__c"\n'


def a_job(state: str = "JobComplete", **more: object) -> Answer:
    return Answer({"id": JOB_ID, "state": state, "createdDate": CREATED, "apiVersion": 67.0, **more})


def a_page(text: str, locator: str | None = "null", records: str | None = None) -> Answer:
    headers = {"Content-Type": "text/csv", "Sforce-Locator": locator, "Sforce-NumberOfRecords": records}
    return Answer(HEADER + text, headers=headers)


@pytest.fixture
def job(salesforce: FakeSalesforce, source: SalesforceSource) -> BulkJob:
    salesforce.on("GET", f"jobs/query/{JOB_ID}", a_job(numberRecordsProcessed=2))
    return source.job(JOB_ID)


def pages(salesforce: FakeSalesforce, *answers: Answer) -> None:
    salesforce.on("GET", f"jobs/query/{JOB_ID}/results", *answers)


def test_creates_a_job_for_the_query(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    salesforce.on("POST", "jobs/query", a_job("UploadComplete"))
    made = source.create_job(RowQuery("Account", ("Id",), "Size__c > 1", include_deleted=True))
    assert (made.id, made.state, made.created_at.isoformat()) == (JOB_ID, JobState.WORKING, "2026-10-06T07:00:00+00:00")
    asked = salesforce.asked("POST", "jobs/query")[0].json
    assert asked == {"operation": "queryAll", "query": "SELECT Id FROM Account WHERE (Size__c > 1)"}


@pytest.mark.parametrize(
    ("state", "meaning"),
    [
        ("UploadComplete", JobState.WORKING),
        ("InProgress", JobState.WORKING),
        ("SomethingNew", JobState.WORKING),
        ("JobComplete", JobState.COMPLETE),
        ("Aborted", JobState.FAILED),
        ("Failed", JobState.FAILED),
    ],
)
def test_looks_where_a_job_stands_without_waiting(
    salesforce: FakeSalesforce, source: SalesforceSource, slept: list[float], state: str, meaning: JobState
) -> None:
    salesforce.on("GET", f"jobs/query/{JOB_ID}", a_job(state))
    assert source.job(JOB_ID).state is meaning
    assert (len(salesforce.asked("GET")), slept) == (1, [])


def test_a_jobs_read_began_with_it_less_the_margin(salesforce: FakeSalesforce, make_source: MakeSource) -> None:
    salesforce.on("GET", f"jobs/query/{JOB_ID}", a_job())
    pages(salesforce, a_page(""))
    source = make_source(margin_seconds=2.5)
    assert source.job_page(source.job(JOB_ID), QUERY).read_start.isoformat() == "2026-10-06T06:59:57.500000+00:00"


def test_types_values_by_their_columns(salesforce: FakeSalesforce, source: SalesforceSource, job: BulkJob) -> None:
    pages(salesforce, a_page('"1","00123","1745500706683617281.10","true"\n"2","","","false"\n'))
    rows = source.job_page(job, QUERY).rows
    assert rows == [
        {"Id": "1", "Name": "00123", "Size__c": Decimal("1745500706683617281.10"), "Open__c": True},
        {"Id": "2", "Name": None, "Size__c": None, "Open__c": False},
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [("7", 7), ("-7", -7), ("7.0", Decimal("7.0")), ("1.0E7", Decimal("1.0E7")), ("0.1", Decimal("0.1"))],
)
def test_trap_5_reads_no_float_in_bulk(
    salesforce: FakeSalesforce, source: SalesforceSource, job: BulkJob, text: str, value: object
) -> None:
    pages(salesforce, a_page(f'"1","a","{text}","true"\n'))
    read = source.job_page(job, QUERY).rows[0]["Size__c"]
    assert (read, type(read)) == (value, type(value))


TEXTS = [
    "two\nlines", "two\r\nlines", "old\rlines", "a\u2028b\u2029c\x85d\x0be\x0cf", 'so "called"', "a,b", "\x00",
    "ß" * 100_000, "x" * 200_000, "'", "\\n", "ends with\n",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: repr(text[:20]))
def test_reads_texts_whole_whatever_is_in_them(
    salesforce: FakeSalesforce, source: SalesforceSource, job: BulkJob, text: str
) -> None:
    quoted = text.replace('"', '""')
    pages(salesforce, a_page(f'"1","{quoted}","1","true"\n"2","b","2","true"\n', records="2"))
    assert [row["Name"] for row in source.job_page(job, QUERY).rows] == [text, "b"]


def test_does_without_the_number_of_records(salesforce: FakeSalesforce, source: SalesforceSource, job: BulkJob) -> None:
    pages(salesforce, a_page('"1","a","1","true"\n', records=None))
    assert len(source.job_page(job, QUERY).rows) == 1


@pytest.mark.parametrize("end", ["null", "", None])
def test_knows_the_last_page(
    salesforce: FakeSalesforce, source: SalesforceSource, job: BulkJob, end: str | None
) -> None:
    pages(salesforce, a_page('"1","a","1","true"\n', "MTAwMDA"), a_page("", end))
    first = source.job_page(job, QUERY, None, 1)
    last = source.job_page(job, QUERY, first.next_cursor, 1)
    asked = [request.query for request in salesforce.asked("GET", ".*/results")]
    assert asked == [{"maxRecords": "1"}, {"maxRecords": "1", "locator": "MTAwMDA"}]
    assert (list(last.rows), last.next_cursor, last.total) == ([], None, 2)


def test_reads_compressed_pages(salesforce: FakeSalesforce, source: SalesforceSource, job: BulkJob) -> None:
    body = gzip.compress((HEADER + '"1","ä","1","true"\n').encode())
    pages(salesforce, Answer(body, headers={"Content-Encoding": "gzip", "Sforce-Locator": "null"}))
    assert source.job_page(job, QUERY).rows[0]["Name"] == "ä"


CUT = a_page('"1","a","1","true"\n' * 5000)


@pytest.mark.parametrize(
    "broken",
    [
        Answer(CUT.body, headers=CUT.headers, hang_up=True),
        a_page('"1","a","1","true"\n', records="2"),
        a_page('"1","a"\n'),
        a_page('"1","a","1","true"\n"2","b'),
        a_page('"1","a","many","true"\n'),
        a_page('"1","a","1","maybe"\n'),
        Answer(HEADER.encode() + b'"1","\xff","1","true"\n'),
    ],
    ids=str,
)
def test_reads_a_page_that_is_not_whole_again(
    salesforce: FakeSalesforce, source: SalesforceSource, job: BulkJob, slept: list[float], broken: Answer
) -> None:
    pages(salesforce, broken, a_page('"1","a","1","true"\n', records="1"))
    assert len(source.job_page(job, QUERY).rows) == 1
    assert len(slept) == 1


def test_gives_up_on_a_page_that_stays_broken(salesforce: FakeSalesforce, make_source: MakeSource) -> None:
    source = make_source(patience=Patience(attempts=2))
    salesforce.on("GET", f"jobs/query/{JOB_ID}", a_job())
    pages(salesforce, a_page('"1","a"\n'))
    with pytest.raises(SourceUnavailableError, match="BROKEN_PAGE"):
        source.job_page(source.job(JOB_ID), QUERY)


def test_keeps_the_session_for_other_calls_after_a_broken_page(
    salesforce: FakeSalesforce, source: SalesforceSource, job: BulkJob
) -> None:
    pages(salesforce, an_error(400, "INVALIDJOB"), a_page('"1","a","1","true"\n'))
    with pytest.raises(Exception, match="INVALIDJOB"):
        source.job_page(job, QUERY)
    assert (len(source.job_page(job, QUERY).rows), salesforce.tokens) == (1, 1)


# What becomes of jobs


def test_tells_why_a_job_failed(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    salesforce.on("GET", f"jobs/query/{JOB_ID}", a_job("Failed", errorMessage="InvalidBatch : too complex"))
    failed = source.job(JOB_ID)
    assert (failed.state, failed.error) == (JobState.FAILED, "InvalidBatch : too complex")
    with pytest.raises(JobFailedError, match="too complex"):
        source.job_page(failed, QUERY)


def test_notices_that_a_job_failed_meanwhile(
    salesforce: FakeSalesforce, source: SalesforceSource, job: BulkJob
) -> None:
    salesforce.on("GET", f"jobs/query/{JOB_ID}", a_job("Aborted"))
    pages(salesforce, an_error(400, "INVALIDJOBSTATE"))
    with pytest.raises(JobFailedError, match="aborted"):
        source.job_page(job, QUERY)


@pytest.mark.parametrize("job_id", ["", "../sobjects", "750R0000000zlh9IAA?x=1"])
def test_asks_for_no_job_that_cannot_be(salesforce: FakeSalesforce, source: SalesforceSource, job_id: str) -> None:
    with pytest.raises(CursorExpiredError):
        source.job(job_id)
    assert salesforce.requests == []


def test_says_of_a_locator_that_salesforce_does_not_know_to_begin_again(
    salesforce: FakeSalesforce, source: SalesforceSource, job: BulkJob
) -> None:
    pages(salesforce, an_error(400, "INVALID_QUERY_LOCATOR"))
    with pytest.raises(CursorExpiredError):
        source.job_page(job, QUERY, "x")


def test_reads_a_job_of_an_older_api_version_by_that_version(
    salesforce: FakeSalesforce, source: SalesforceSource
) -> None:
    salesforce.on("GET", f"jobs/query/{JOB_ID}", a_job(apiVersion=66.0))
    pages(salesforce, an_error(409, "VERSION"))
    older = DATA.replace("67.0", "66.0")
    salesforce.on("GET", f"{older}/jobs/query/{JOB_ID}/results", a_page('"1","a","1","true"\n'))
    assert len(source.job_page(source.job(JOB_ID), QUERY).rows) == 1


def test_begins_again_where_an_older_job_cannot_be_read(
    salesforce: FakeSalesforce, source: SalesforceSource, job: BulkJob
) -> None:
    salesforce.on("GET", f"jobs/query/{JOB_ID}(/results)?", an_error(409, "VERSION"))
    with pytest.raises(CursorExpiredError):
        source.job(JOB_ID)
    with pytest.raises(CursorExpiredError):
        source.job_page(job, QUERY)


def test_ends_jobs_in_the_way_their_state_wants(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    salesforce.on("PATCH", f"jobs/query/{JOB_ID}", a_job("Aborted"))
    salesforce.on("DELETE", f"jobs/query/{JOB_ID}", Answer(status=204))
    salesforce.on("GET", f"jobs/query/{JOB_ID}", a_job("InProgress"), a_job("Aborted"))
    source.end_job(JOB_ID)
    source.end_job(JOB_ID)
    assert [request.json for request in salesforce.asked("PATCH")] == [{"state": "Aborted"}]
    assert len(salesforce.asked("DELETE")) == 1


def test_deletes_a_job_that_ended_before_it_could_be_aborted(
    salesforce: FakeSalesforce, source: SalesforceSource
) -> None:
    salesforce.on("GET", f"jobs/query/{JOB_ID}", a_job("InProgress"))
    salesforce.on("PATCH", f"jobs/query/{JOB_ID}", an_error(400, "INVALIDJOBSTATE"))
    salesforce.on("DELETE", f"jobs/query/{JOB_ID}", Answer(status=204))
    source.end_job(JOB_ID)
    assert len(salesforce.asked("DELETE")) == 1


def test_a_job_that_is_gone_is_ended(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    source.end_job(JOB_ID)

    def gone_meanwhile(_request: Request) -> Answer:
        return an_error(404, "NOT_FOUND")

    salesforce.on("GET", f"jobs/query/{JOB_ID}", a_job())
    salesforce.on("DELETE", f"jobs/query/{JOB_ID}", gone_meanwhile)
    source.end_job(JOB_ID)
