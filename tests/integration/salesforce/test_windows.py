from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from crm_events.adapters.salesforce.source import SalesforceSource
from crm_events.ports.crm_source import SourceRefusedError
from tests.integration.salesforce.server import Answer, FakeSalesforce, Request, an_error

START = datetime(2026, 10, 6, 7, 0, 31, 417_000, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def asked(request: Request) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(request.query["start"]), datetime.fromisoformat(request.query["end"])


def updates(*ids: str, covered: datetime | None = None) -> Callable[[Request], Answer]:
    def answer(request: Request) -> Answer:
        return Answer({"ids": list(ids), "latestDateCovered": text(covered or asked(request)[1])})

    return answer


def test_trap_10_asks_for_whole_minutes_with_their_zone(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    salesforce.on("GET", "sobjects/Account/updated/", updates("a"))
    source.updated("Account", START.astimezone(timezone(timedelta(hours=2))), START + 5 * MINUTE)
    query = salesforce.asked("GET")[0].query
    assert query == {"start": "2026-10-06T07:00:00+00:00", "end": "2026-10-06T07:05:00+00:00"}


@pytest.mark.parametrize("what", ["updated", "deleted"])
def test_trap_10_asks_for_no_time_without_a_zone(
    salesforce: FakeSalesforce, source: SalesforceSource, what: str
) -> None:
    with pytest.raises(SourceRefusedError, match="zone"):
        getattr(source, what)("Account", START.replace(tzinfo=None), START + MINUTE)
    assert salesforce.requests == []


def test_trap_10_goes_on_from_what_salesforce_covered(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    salesforce.on("GET", "sobjects/Account/updated/", updates("a", covered=START + 2 * MINUTE))
    updated = source.updated("Account", START, START + 5 * MINUTE)
    assert (updated.ids, updated.latest_covered) == (["a"], (START + 2 * MINUTE).replace(microsecond=0))


def test_trap_7_tells_since_when_deletions_are_known(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    body = {
        "deletedRecords": [{"id": "a", "deletedDate": text(START)}],
        "earliestDateAvailable": text(START - MINUTE),
        "latestDateCovered": text(START + MINUTE),
    }
    salesforce.on("GET", "sobjects/Account/deleted/", Answer(body))
    deleted = source.deleted("Account", START, START + 5 * MINUTE)
    assert deleted.ids == {"a": START.replace(microsecond=0)}
    assert deleted.earliest_available == (START - MINUTE).replace(microsecond=0)
    assert deleted.latest_covered == (START + MINUTE).replace(microsecond=0)


def crowded(most_minutes: int, found: Callable[[datetime, datetime], dict[str, Any]]) -> Callable[[Request], Answer]:
    """Answer only windows of so many minutes."""

    def answer(request: Request) -> Answer:
        start, end = asked(request)
        if end - start > most_minutes * MINUTE:
            return an_error(400, "EXCEEDED_ID_LIMIT")
        return Answer(found(start, end))

    return answer


def every_minute(start: datetime, end: datetime) -> dict[str, Any]:
    ids = [f"{start + n * MINUTE:%H:%M}" for n in range((end - start) // MINUTE)]
    return {"ids": ids, "latestDateCovered": text(end)}


@pytest.mark.parametrize("minutes", [2, 3, 7, 60])
def test_halves_a_window_that_holds_too_many(
    salesforce: FakeSalesforce, source: SalesforceSource, minutes: int
) -> None:
    salesforce.on("GET", "sobjects/Account/updated/", crowded(1, every_minute))
    updated = source.updated("Account", START, START + minutes * MINUTE)
    whole = every_minute(START.replace(second=0, microsecond=0), START.replace(second=0) + minutes * MINUTE)
    assert list(updated.ids) == whole["ids"]
    assert updated.latest_covered == START.replace(second=0, microsecond=0) + minutes * MINUTE


def test_covers_no_more_than_its_earlier_half_does(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    in_flight = START.replace(second=0, microsecond=0) + MINUTE

    def found(start: datetime, end: datetime) -> dict[str, Any]:
        return {"ids": ["a"], "latestDateCovered": text(min(end, in_flight) if start < in_flight else end)}

    salesforce.on("GET", "sobjects/Account/updated/", crowded(2, found))
    updated = source.updated("Account", START, START + 4 * MINUTE)
    assert (updated.ids, updated.latest_covered) == (["a"], in_flight)


def test_halves_windows_of_deletions_too(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    def found(start: datetime, end: datetime) -> dict[str, Any]:
        record = {"id": f"{start:%H:%M}", "deletedDate": text(start)}
        return {
            "deletedRecords": [record],
            "earliestDateAvailable": text(start - MINUTE),
            "latestDateCovered": text(end),
        }

    salesforce.on("GET", "sobjects/Account/deleted/", crowded(1, found))
    deleted = source.deleted("Account", START, START + 2 * MINUTE)
    start = START.replace(second=0, microsecond=0)
    assert deleted.ids == {"07:00": start, "07:01": start + MINUTE}
    assert (deleted.earliest_available, deleted.latest_covered) == (start, start + 2 * MINUTE)


def test_refuses_a_minute_that_holds_too_many(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    salesforce.on("GET", "sobjects/Account/updated/", an_error(400, "EXCEEDED_ID_LIMIT"))
    with pytest.raises(SourceRefusedError, match="EXCEEDED_ID_LIMIT"):
        source.updated("Account", START, START + 8 * MINUTE)
    assert len(salesforce.asked("GET")) == 4


def test_refuses_a_window_that_ends_within_its_first_minute(
    salesforce: FakeSalesforce, source: SalesforceSource
) -> None:
    with pytest.raises(SourceRefusedError, match="whole minute"):
        source.updated("Account", START, START + timedelta(seconds=20))
    assert salesforce.requests == []
