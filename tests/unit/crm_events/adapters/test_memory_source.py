from datetime import timedelta

import pytest

from crm_events.adapters.memory_source import MemoryCrmSource
from crm_events.ports.crm_source import (
    ApiUsage,
    FieldDescription,
    JobState,
    ObjectDescription,
    RowQuery,
    SourceRefusedError,
    SourceUnavailableError,
)
from tests.builders import an_id

NAMES = RowQuery("Account", ("Id", "Name"))


@pytest.fixture
def source() -> MemoryCrmSource:
    source = MemoryCrmSource()
    source.put("Account", {"Id": an_id(1), "Name": "A"}, {"Id": an_id(2), "Name": "B"})
    return source


def test_fails_where_it_is_told_and_no_more_often(source: MemoryCrmSource) -> None:
    source.fail("read", SourceUnavailableError("SERVER_UNAVAILABLE", "busy"), after=1)
    source.read(NAMES)
    source.describe("Account")
    with pytest.raises(SourceUnavailableError):
        source.read(NAMES)
    assert len(source.read(NAMES).rows) == 2


def test_changes_while_somebody_reads(source: MemoryCrmSource) -> None:
    source.page_size = 1
    source.before_call = lambda _method: source.change("Account", an_id(1), Name="changed")
    assert source.read(NAMES).rows == [{"Id": an_id(1), "Name": "changed"}]


def test_moves_the_times_of_modification_with_a_change_unless_it_is_a_formulas(source: MemoryCrmSource) -> None:
    source.now += timedelta(minutes=1)
    source.change("Account", an_id(1), Name="C")
    source.change("Account", an_id(2), quietly=True, Name="D")
    stamps = [source.row("Account", an_id(n))["SystemModstamp"] for n in (1, 2)]
    assert stamps == ["2026-10-06T08:01:00.000+0000", "2026-10-06T08:00:00.000+0000"]


def test_does_not_show_what_is_hidden(source: MemoryCrmSource) -> None:
    source.hide("Account", an_id(1))
    assert [row["Name"] for row in source.read_ids(NAMES, [an_id(1), an_id(2)]).rows] == ["B"]


def test_takes_a_record_out_of_the_bin(source: MemoryCrmSource) -> None:
    source.delete("Account", an_id(1))
    source.undelete("Account", an_id(1))
    assert source.count(NAMES) == 2


def test_lets_a_job_take_its_time(source: MemoryCrmSource) -> None:
    source.job_polls = 2
    job = source.create_job(NAMES)
    with pytest.raises(SourceRefusedError):
        source.job_page(job, NAMES)
    states = [source.job(job.id).state for _ in range(3)]
    assert states == [JobState.WORKING, JobState.WORKING, JobState.COMPLETE]


def test_counts_calls(source: MemoryCrmSource) -> None:
    source.set_usage(10, 100)
    source.read(NAMES)
    source.ping()
    assert (source.calls, source.usage()) == (["read", "ping"], ApiUsage(12, 100))


def test_has_the_columns_it_is_told(source: MemoryCrmSource) -> None:
    fields = [FieldDescription("Id", "id"), FieldDescription("BillingAddress", "address", is_compound=True)]
    source.set_description(ObjectDescription("Account", [*fields, FieldDescription("Body", "base64")]))
    assert source.describe("Account").columns == ("Id",)


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Name = 'a'", "A"),
        ("Name != 'A'", "B"),
        ("Name IN ('B', 'C')", "B"),
        ("Name NOT IN ('B')", "A"),
        ("Size > 1 AND Size <= 2.0", "B"),
        ("(Size = 1 OR Size = 3) AND Open = true", "A"),
        ("Note = null", "B"),
        ("Note = 'it\\'s'", "A"),
        ("At >= 2026-10-06T08:00:01Z", "B"),
    ],
)
def test_chooses_rows_by_condition(where: str, found: str) -> None:
    source = MemoryCrmSource()
    at = ["2026-10-06T08:00:00.000+0000", "2026-10-06T08:00:01.000+0000"]
    source.put("Account", {"Id": an_id(1), "Name": "A", "Size": 1, "Open": True, "Note": "it's", "At": at[0]})
    source.put("Account", {"Id": an_id(2), "Name": "B", "Size": 2, "Open": True, "Note": None, "At": at[1]})
    assert [row["Name"] for row in source.read(RowQuery("Account", ("Name",), where)).rows] == [found]


@pytest.mark.parametrize("where", ["Name", "Name ~ 'a'", "Name = 'a", "Name = 'a')", "(Name = 'a'", "Name IN 'a'"])
def test_refuses_conditions_it_does_not_understand(source: MemoryCrmSource, where: str) -> None:
    with pytest.raises(SourceRefusedError):
        source.read(RowQuery("Account", ("Name",), where))
