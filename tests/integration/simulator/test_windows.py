from datetime import datetime, timedelta
from typing import Any

import pytest

from crm_events.simulator.org import SimulatedOrg
from crm_events.simulator.records import Record
from tests.integration.simulator.client import OrgClient
from tests.unit.crm_events.simulator.reading import NOW, Clock

HOUR = timedelta(hours=1)


def an_account(org: SimulatedOrg) -> Record:
    transaction = org.begin()
    record = transaction.create(Record("Account", org.mint.record_id("Account"), {"Name": "Lindqvist Marine AB"}))
    org.commit(transaction)
    return record


def window(client: OrgClient, kind: str, start: datetime, end: datetime) -> Any:
    return client.get(f"sobjects/Account/{kind}/", start=start.isoformat(), end=end.isoformat())


def test_finds_what_was_created_or_changed_in_the_window(org: SimulatedOrg, clock: Clock, client: OrgClient) -> None:
    early, late = an_account(org), an_account(org)
    clock.move(3_600)
    org.change(late, {"Phone": "1"})
    found = window(client, "updated", NOW + HOUR / 2, NOW + 2 * HOUR)
    assert found["ids"] == [late.id]
    assert window(client, "updated", NOW - HOUR, NOW + HOUR / 2)["ids"] == [early.id]


def test_ignores_seconds(org: SimulatedOrg, client: OrgClient) -> None:
    record = an_account(org)
    start, end = NOW.replace(second=55), NOW.replace(second=5) + timedelta(minutes=1)
    assert window(client, "updated", start, end)["ids"] == [record.id]


def test_covers_no_more_than_the_last_whole_minute(org: SimulatedOrg, client: OrgClient) -> None:
    an_account(org)
    found = window(client, "updated", NOW - HOUR, NOW + HOUR)
    assert found["latestDateCovered"] == "2026-10-06T07:20:00.000+0000"
    assert window(client, "updated", NOW - HOUR, NOW)["ids"] == []


def test_covers_only_what_was_made_before_transactions_under_way(
    org: SimulatedOrg, clock: Clock, client: OrgClient
) -> None:
    record = an_account(org)
    clock.move(600)
    transaction = org.begin()
    transaction.update([record], {"Phone": "1"})
    org.lock(transaction)
    clock.move(600)
    found = window(client, "updated", NOW + timedelta(minutes=5), NOW + HOUR)
    assert (found["ids"], found["latestDateCovered"]) == ([], "2026-10-06T07:30:00.000+0000")
    org.commit(transaction, org.now())
    org.unlock(transaction)
    found = window(client, "updated", NOW + timedelta(minutes=10), NOW + HOUR)
    assert (found["ids"], found["latestDateCovered"]) == ([record.id], "2026-10-06T07:40:00.000+0000")


def test_finds_what_was_deleted_in_the_window(org: SimulatedOrg, clock: Clock, client: OrgClient) -> None:
    record = an_account(org)
    clock.move(90)
    org.delete([record])
    clock.move(90)
    found = window(client, "deleted", NOW, NOW + HOUR)
    assert found["deletedRecords"] == [{"id": record.id, "deletedDate": "2026-10-06T07:21:39.000+0000"}]
    assert found["earliestDateAvailable"] == "2026-09-21T07:23:09.000+0000"
    assert window(client, "updated", NOW, NOW + HOUR)["ids"] == []


def test_knows_nothing_of_what_left_the_recycle_bin(org: SimulatedOrg, client: OrgClient) -> None:
    record = an_account(org)
    org.delete([record])
    client.server.app.control.do("empty_bin")
    assert window(client, "deleted", NOW - HOUR, NOW + HOUR)["deletedRecords"] == []
    assert client.get("queryAll", q="SELECT Id FROM Account")["totalSize"] == 0


def test_says_since_when_it_knows_of_deletions(org: SimulatedOrg, clock: Clock, client: OrgClient) -> None:
    org.delete([an_account(org)])
    clock.move(60)
    client.server.app.control.do("purge_delete_log")
    found = window(client, "deleted", NOW - HOUR, NOW + HOUR)
    assert (found["deletedRecords"], found["earliestDateAvailable"]) == ([], "2026-10-06T07:21:09.000+0000")


@pytest.mark.parametrize(
    ("kind", "start", "end"),
    [
        ("updated", NOW - timedelta(days=31), NOW),
        ("deleted", NOW - timedelta(days=16), NOW),
        ("updated", NOW, NOW - HOUR),
        ("updated", NOW, NOW + timedelta(seconds=20)),
    ],
    ids=["30 days", "15 days", "backwards", "one minute"],
)
def test_refuses_windows_out_of_range(client: OrgClient, kind: str, start: datetime, end: datetime) -> None:
    query = {"start": start.isoformat(), "end": end.isoformat()}
    error = client.error("GET", f"sobjects/Account/{kind}/", params=query)
    assert error == (400, "INVALID_REPLICATION_DATE")


def test_refuses_times_that_are_none(client: OrgClient) -> None:
    query = {"start": "2026-10-06T07:00:", "end": NOW.isoformat()}
    assert client.error("GET", "sobjects/Account/updated/", params=query)[0] == 400


def test_refuses_windows_with_too_many_ids(org: SimulatedOrg, client: OrgClient) -> None:
    org.seed_rows("Account", 3)
    client.server.app.windows.most_ids = 2
    query = {"start": (NOW - HOUR).isoformat(), "end": (NOW + HOUR).isoformat()}
    assert client.error("GET", "sobjects/Account/updated/", params=query) == (400, "EXCEEDED_ID_LIMIT")
