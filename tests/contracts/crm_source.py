"""What every source must do; a new adapter is done when it passes."""

import pickle
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

import pytest

from crm_events.ports.crm_source import (
    BulkJob,
    CrmSource,
    CrmSourceError,
    CursorExpiredError,
    JobFailedError,
    JobState,
    Row,
    RowPage,
    RowQuery,
    SourceRefusedError,
)
from tests.builders import an_id
from tests.waiting import wait_until

ENTITY = "Opportunity"
COLUMNS = ("Id", "Name", "NextStep", "Description", "Probability", "Amount", "IsDeleted", "SystemModstamp")
DEALS = RowQuery(ENTITY, COLUMNS)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


class Org(Protocol):
    """The org behind a source, for whoever sets it up. It has an object Opportunity, empty at first."""

    def put(self, entity: str, *rows: dict[str, Any]) -> None:
        """Keep rows, each with its Id; system fields are set to the org's now unless a row names them."""

    def delete(self, entity: str, record_id: str) -> None:
        """Move a record to the recycle bin."""

    def erase(self, entity: str, record_id: str) -> None:
        """Delete a record for good."""

    def hide(self, entity: str, record_id: str) -> None:
        """Take a record, and with it the right to see all, from the API user."""

    def clock(self) -> datetime:
        """Return the org's true time."""

    def set_page_size(self, rows: int) -> None:
        """Let REST answer with so few rows at a time."""

    def fail_jobs(self, message: str) -> None:
        """Let the jobs under way fail."""

    def forget(self) -> None:
        """Forget all cursors and jobs."""


def key(n: int = 1) -> str:
    return an_id(n, ENTITY)


def a_deal(n: int = 1, **values: Any) -> dict[str, Any]:
    return {"Id": key(n), "Name": f"Deal {n}", **values}


TEXT = 'one\r\ntwo\u2028, "three"'
AMOUNT = Decimal("12345678901234.56")
AN_EXACT_DEAL = a_deal(Probability=7, Amount=AMOUNT, NextStep="", Description=TEXT)


def walk(page_after: Callable[[str | None], RowPage]) -> Iterator[RowPage]:
    cursor = None
    while True:
        page = page_after(cursor)
        yield page
        cursor = page.next_cursor
        if cursor is None:
            return


def names(pages: Sequence[RowPage]) -> list[str]:
    return [row["Name"] for page in pages for row in page.rows]


def finished(source: CrmSource, query: RowQuery) -> BulkJob:
    """Make a job and wait until it has ended."""
    job = source.create_job(query)
    wait_until(lambda: source.job(job.id).state is not JobState.WORKING)
    return source.job(job.id)


def only_row(page: RowPage) -> Row:
    assert len(page.rows) == 1
    return page.rows[0]


class CrmSourceContract:
    @pytest.fixture
    def org(self) -> Org:
        raise NotImplementedError

    @pytest.fixture
    def source(self, org: Org) -> CrmSource:
        raise NotImplementedError

    # Describe and count

    def test_describes_an_object_by_its_columns(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, a_deal(Probability=1, Amount=Decimal("1.5"), NextStep=None, Description=None))
        assert set(COLUMNS) <= set(source.describe(ENTITY).columns)

    def test_refuses_an_object_that_is_not_there(self, source: CrmSource) -> None:
        with pytest.raises(SourceRefusedError):
            source.describe("Nothing__c")

    def test_counts_the_rows_that_fit(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, *(a_deal(n) for n in range(1, 6)))
        query = RowQuery(ENTITY, (), f"Id <= '{key(3)}'")
        assert [source.count(RowQuery(ENTITY, ())), source.count(query)] == [5, 3]

    # Read

    def test_reads_nothing_where_nothing_is(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, a_deal())
        page = source.read(RowQuery(ENTITY, ("Id",), f"Id = '{key(2)}'"))
        assert (list(page.rows), page.next_cursor, page.total) == ([], None, 0)

    def test_reads_values_exactly(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, AN_EXACT_DEAL)
        self._is_exact(only_row(source.read(DEALS)))

    def test_reads_the_same_by_id(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, AN_EXACT_DEAL)
        self._is_exact(only_row(source.read_ids(DEALS, [key()])))

    def test_reads_the_same_by_job(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, AN_EXACT_DEAL)
        self._is_exact(only_row(source.job_page(finished(source, DEALS), DEALS)))

    def _is_exact(self, row: Row) -> None:
        assert tuple(row) == COLUMNS
        assert (row["Id"], row["NextStep"], row["Description"]) == (key(), None, TEXT)
        assert (row["Probability"], row["Amount"]) == (7, AMOUNT)
        assert {type(row["Probability"]), type(row["Amount"])} <= {int, Decimal}
        assert row["IsDeleted"] is False
        assert datetime.fromisoformat(row["SystemModstamp"]).tzinfo is not None

    def test_goes_on_page_by_page(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, *(a_deal(n) for n in range(1, 8)))
        org.set_page_size(3)
        pages = list(walk(lambda cursor: source.read(DEALS, cursor)))
        assert [len(page.rows) for page in pages] == [3, 3, 1]
        assert len(set(names(pages))) == 7

    def test_tells_total_and_beginning_of_the_read_on_every_page(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, *(a_deal(n) for n in range(1, 8)))
        org.set_page_size(3)
        pages = list(walk(lambda cursor: source.read(DEALS, cursor)))
        assert {page.total for page in pages} == {7}
        assert len({page.read_start for page in pages}) == 1

    def test_begins_a_read_no_later_than_it_says(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, a_deal())
        before = org.clock()
        assert source.read(DEALS).read_start <= before
        assert source.read_ids(DEALS, [key()]).read_start <= org.clock()

    def test_begins_a_read_not_long_before(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, a_deal())
        before = org.clock()
        assert source.read(DEALS).read_start > before - MINUTE / 6

    def test_leaves_out_the_recycle_bin_unless_asked(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, a_deal(1), a_deal(2))
        org.delete(ENTITY, key(2))
        with_bin = RowQuery(ENTITY, ("Id", "IsDeleted"), include_deleted=True)
        assert [row["Id"] for row in source.read(DEALS).rows] == [key()]
        assert {row["Id"]: row["IsDeleted"] for row in source.read(with_bin).rows} == {key(): False, key(2): True}

    def test_refuses_a_column_that_is_not_there(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, a_deal())
        with pytest.raises(SourceRefusedError):
            source.read(RowQuery(ENTITY, ("Id", "Nothing__c")))

    def test_refuses_a_condition_it_cannot_read(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, a_deal())
        with pytest.raises(SourceRefusedError):
            source.read(RowQuery(ENTITY, ("Id",), "Name = 'no end"))

    def test_says_when_a_cursor_is_too_old(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, a_deal(1), a_deal(2))
        org.set_page_size(1)
        cursor = source.read(DEALS).next_cursor
        org.forget()
        with pytest.raises(CursorExpiredError):
            source.read(DEALS, cursor)

    # By id

    def test_finds_records_by_id_and_leaves_out_who_is_missing(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, *(a_deal(n) for n in range(1, 5)))
        org.delete(ENTITY, key(2))
        org.erase(ENTITY, key(3))
        page = source.read_ids(DEALS, [key(n) for n in (1, 2, 3, 9)])
        assert [row["Id"] for row in page.rows] == [key()]
        assert page.next_cursor is None

    def test_finds_the_deleted_by_id_when_asked(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, *(a_deal(n) for n in range(1, 5)))
        org.delete(ENTITY, key(2))
        org.erase(ENTITY, key(3))
        query = RowQuery(ENTITY, ("Id", "IsDeleted"), include_deleted=True)
        found = {row["Id"]: row["IsDeleted"] for row in source.read_ids(query, [key(n) for n in range(1, 4)]).rows}
        assert found == {key(): False, key(2): True}

    def test_finds_only_who_fits_the_condition(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, *(a_deal(n) for n in range(1, 5)))
        query = RowQuery(ENTITY, ("Id", "Name"), "Name = 'Deal 2'")
        assert names([source.read_ids(query, [key(n) for n in range(1, 5)])]) == ["Deal 2"]

    def test_finds_thousands_by_id(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, *(a_deal(n) for n in range(1, 2_502)))
        ids = [key(n) for n in range(1, 2_502)]
        assert {row["Id"] for row in source.read_ids(RowQuery(ENTITY, ("Id",)), ids).rows} == set(ids)

    def test_asks_for_no_ids_without_harm(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, a_deal())
        assert list(source.read_ids(DEALS, []).rows) == []

    def test_refuses_what_is_no_id(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, a_deal())
        with pytest.raises(SourceRefusedError):
            source.read_ids(DEALS, ["' OR Id != '"])

    # What is not shown

    def test_shows_no_record_that_the_user_may_not_see(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, a_deal(1), a_deal(2))
        org.hide(ENTITY, key(2))
        query = RowQuery(ENTITY, ("Id", "Name"), include_deleted=True)
        assert names([source.read(query)]) == names([source.read_ids(query, [key(1), key(2)])]) == ["Deal 1"]

    @pytest.mark.parametrize("hidden", [False, True])
    def test_says_whether_the_user_sees_all(self, source: CrmSource, org: Org, *, hidden: bool) -> None:
        org.put(ENTITY, a_deal(1), a_deal(2))
        if hidden:
            org.hide(ENTITY, key(2))
        assert source.sees_all(ENTITY) is not hidden

    # Jobs

    def test_pages_a_job_until_all_rows_are_read(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, *(a_deal(n) for n in range(1, 8)))
        job = finished(source, DEALS)
        pages = list(walk(lambda cursor: source.job_page(job, DEALS, cursor, 3)))
        assert sorted(names(pages)) == [f"Deal {n}" for n in range(1, 8)]
        assert max(len(page.rows) for page in pages) <= 3

    def test_says_how_many_rows_a_finished_job_has(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, *(a_deal(n) for n in range(1, 8)))
        job = finished(source, DEALS)
        assert (job.state, job.rows) == (JobState.COMPLETE, 7)

    def test_reads_a_page_of_a_job_again_by_its_cursor(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, *(a_deal(n) for n in range(1, 8)))
        job = finished(source, DEALS)
        cursor = source.job_page(job, DEALS, None, 3).next_cursor
        assert cursor is not None
        again = [source.job_page(job, DEALS, cursor, 3).rows for _ in range(2)]
        assert again[0] == again[1]

    def test_begins_a_jobs_read_no_later_than_its_creation(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, a_deal())
        job = source.create_job(DEALS)
        after = org.clock()
        wait_until(lambda: source.job(job.id).state is JobState.COMPLETE)
        page = source.job_page(source.job(job.id), DEALS)
        assert after - MINUTE / 6 < page.read_start <= job.created_at <= after

    def test_ends_a_job_without_rows(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, a_deal())
        query = RowQuery(ENTITY, ("Id",), f"Id = '{key(2)}'")
        page = source.job_page(finished(source, query), query)
        assert (list(page.rows), page.next_cursor) == ([], None)

    def test_reads_the_recycle_bin_by_job(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, a_deal(1), a_deal(2))
        org.delete(ENTITY, key(2))
        query = RowQuery(ENTITY, ("Id", "IsDeleted"), include_deleted=True)
        rows = source.job_page(finished(source, query), query).rows
        assert {row["Id"]: row["IsDeleted"] for row in rows} == {key(): False, key(2): True}

    def test_tells_why_a_job_failed(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, a_deal())
        job = source.create_job(DEALS)
        org.fail_jobs("InvalidBatch : too many retries")
        job = source.job(job.id)
        assert (job.state, "too many retries" in job.error) == (JobState.FAILED, True)
        with pytest.raises(JobFailedError, match="too many retries"):
            source.job_page(job, DEALS)

    def test_says_when_a_job_is_forgotten(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, a_deal())
        job = finished(source, DEALS)
        org.forget()
        with pytest.raises(CursorExpiredError):
            source.job(job.id)
        with pytest.raises(CursorExpiredError):
            source.job_page(job, DEALS)

    def test_ends_a_job_however_often_it_is_told(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, a_deal())
        job = finished(source, DEALS)
        source.end_job(job.id)
        source.end_job(job.id)

    # Windows

    def test_lists_who_changed_in_a_window(self, source: CrmSource, org: Org) -> None:
        now = org.clock()
        org.put(ENTITY, a_changed_deal(1, now - 3 * MINUTE), a_changed_deal(2, now - 10 * MINUTE))
        updated = source.updated(ENTITY, now - 5 * MINUTE, now)
        assert list(updated.ids) == [key()]
        assert now - 2 * MINUTE <= updated.latest_covered <= org.clock()

    def test_lists_who_was_deleted_in_a_window(self, source: CrmSource, org: Org) -> None:
        org.put(ENTITY, a_deal(1), a_deal(2))
        org.delete(ENTITY, key(2))
        now = org.clock()
        deleted = source.deleted(ENTITY, now - 5 * MINUTE, now + 2 * MINUTE)
        assert list(deleted.ids) == [key(2)]
        assert now - MINUTE <= deleted.ids[key(2)] <= org.clock()
        assert deleted.earliest_available < now

    @pytest.mark.parametrize("window", ["updated", "deleted"])
    def test_refuses_an_empty_window(self, source: CrmSource, org: Org, window: str) -> None:
        org.put(ENTITY, a_deal())
        now = org.clock()
        with pytest.raises(SourceRefusedError):
            getattr(source, window)(ENTITY, now, now - MINUTE)

    @pytest.mark.parametrize(("window", "days"), [("updated", 31), ("deleted", 16)])
    def test_refuses_a_window_that_begins_too_early(self, source: CrmSource, org: Org, window: str, days: int) -> None:
        org.put(ENTITY, a_deal())
        now = org.clock()
        with pytest.raises(SourceRefusedError):
            getattr(source, window)(ENTITY, now - days * DAY, now)

    # Access and errors

    def test_says_nothing_when_it_is_let_in(self, source: CrmSource) -> None:
        source.ping()

    def test_keeps_its_errors_whole_on_the_way_through_a_queue(self, source: CrmSource) -> None:
        with pytest.raises(CrmSourceError) as raised:
            source.describe("Nothing__c")
        error = pickle.loads(pickle.dumps(raised.value))  # noqa: S301  # our own
        assert (type(error), error.code, error.detail) == (SourceRefusedError, raised.value.code, raised.value.detail)


def a_changed_deal(n: int, moment: datetime) -> dict[str, Any]:
    stamp = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    return a_deal(n, LastModifiedDate=stamp, SystemModstamp=stamp)
