import json
from collections.abc import Iterator
from typing import Any

import pytest

from crm_events.simulator.org import SimulatedOrg
from crm_events.simulator.records import Record
from tests.unit.crm_events.simulator.reading import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def org(clock: Clock) -> Iterator[SimulatedOrg]:
    org = SimulatedOrg(clock=clock)
    yield org
    org.close()


def an_account(org: SimulatedOrg) -> Record:
    record = Record("Account", org.mint.record_id("Account"), {"Name": "Lindqvist Marine AB"})
    transaction = org.begin()
    transaction.create(record)
    org.commit(transaction)
    return record


def change(org: SimulatedOrg, record: Record, phone: str) -> None:
    org.change(record, {"Phone": phone})


def taken(org: SimulatedOrg) -> list[dict[str, Any]]:
    """Take what is due now."""
    due = org.feed.due(100, 10**6)
    org.feed.done([one.number for one in due])
    return [json.loads(one.event) for one in due]


def payload(event: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = event["detail"]["payload"]
    return found


def change_type(event: dict[str, Any]) -> str:
    return str(payload(event)["ChangeEventHeader"]["changeType"])


def phones(org: SimulatedOrg) -> list[Any]:
    return [payload(event)["Phone"] for event in taken(org)]


def arranged(org: SimulatedOrg, *names: str, **values: float) -> Record:
    """Return an account that everybody knows of, with these switches to come next."""
    record = an_account(org)
    taken(org)
    for name in names:
        org.switches.set(name, times=1, **values)
    return record


def test_delivers_in_the_order_of_commits(org: SimulatedOrg) -> None:
    record = arranged(org)
    for phone in "123":
        change(org, record, phone)
    assert phones(org) == ["1", "2", "3"]


def test_keeps_an_event_until_somebody_took_it(org: SimulatedOrg) -> None:
    an_account(org)
    assert org.feed.due(100, 10**6) == org.feed.due(100, 10**6)
    assert len(taken(org)) == 1
    assert taken(org) == []


def test_gives_as_many_as_fit(org: SimulatedOrg) -> None:
    for _ in range(5):
        an_account(org)
    size = len(org.feed.due(1, 10**6)[0].event)
    assert [len(org.feed.due(2, 10**6)), len(org.feed.due(100, 3 * size + 200)), len(org.feed.due(100, 1))] == [2, 3, 1]


def test_loses_an_event_and_notes_it(org: SimulatedOrg) -> None:
    record = arranged(org, "drop")
    change(org, record, "1")
    change(org, record, "2")
    assert phones(org) == ["2"]
    (mishap,) = org.mishaps.after(0, 10)
    assert (mishap["name"], mishap["records"], mishap["detail"][:6]) == ("drop", [record.id], "UPDATE")


def test_repeats_an_event_under_a_new_id_of_event_bridge(org: SimulatedOrg, clock: Clock) -> None:
    record = arranged(org, "duplicate", value=5)
    change(org, record, "1")
    (first,) = taken(org)
    clock.move(5)
    (again,) = taken(org)
    assert first["detail"] == again["detail"]
    assert first["id"] != again["id"]


def test_lets_a_newer_event_of_the_record_overtake_one_held_back(org: SimulatedOrg) -> None:
    other = an_account(org)
    record = arranged(org, "reorder")
    change(org, record, "1")
    change(org, other, "of another")
    change(org, record, "2")
    assert phones(org) == ["of another", "2", "1"]


def test_delivers_what_nothing_overtook_after_a_while(org: SimulatedOrg, clock: Clock) -> None:
    change(org, arranged(org, "reorder", value=15), "1")
    assert phones(org) == []
    clock.move(15)
    assert phones(org) == ["1"]


def test_delays_an_event(org: SimulatedOrg, clock: Clock) -> None:
    record = arranged(org, "delay", value=30)
    change(org, record, "1")
    change(org, record, "2")
    assert phones(org) == ["2"]
    clock.move(30)
    assert phones(org) == ["1"]


def test_sends_what_is_held_back_when_asked(org: SimulatedOrg) -> None:
    change(org, arranged(org, "delay"), "1")
    org.feed.release()
    assert phones(org) == ["1"]


@pytest.mark.parametrize("kind", ["create", "update", "delete", "undelete"])
def test_sends_a_gap_in_place_of_an_event(org: SimulatedOrg, kind: str) -> None:
    record = arranged(org, f"gap_{kind}")
    if kind == "create":
        an_account(org)
    elif kind == "update":
        change(org, record, "1")
    else:
        org.delete([record])
        org.undelete([record])
    gaps = [event for event in taken(org) if change_type(event).startswith("GAP_")]
    assert [(change_type(gap), set(payload(gap))) for gap in gaps] == [(f"GAP_{kind.upper()}", {"ChangeEventHeader"})]


def test_sends_one_overflow_for_each_object_of_a_transaction(org: SimulatedOrg) -> None:
    record = arranged(org, "overflow")
    change(org, record, "1")
    (event,) = taken(org)
    assert change_type(event) == "GAP_OVERFLOW"
    assert payload(event)["ChangeEventHeader"]["recordIds"] == ["000000000000000AAA"]


def test_sends_something_unreadable_besides(org: SimulatedOrg) -> None:
    change(org, arranged(org, "unreadable"), "1")
    assert len(taken(org)) == 2


def test_keeps_events_while_the_relay_is_paused(org: SimulatedOrg) -> None:
    record = arranged(org)
    org.switches.set("paused", chance=1)
    change(org, record, "1")
    assert taken(org) == []
    org.switches.set("paused", chance=0)
    assert phones(org) == ["1"]


def test_loses_events_while_the_relay_is_stopped(org: SimulatedOrg) -> None:
    record = arranged(org)
    org.switches.set("stopped", chance=1)
    change(org, record, "1")
    org.switches.set("stopped", chance=0)
    change(org, record, "2")
    assert phones(org) == ["2"]


def test_loses_what_waited_longer_than_the_bus_keeps(org: SimulatedOrg, clock: Clock) -> None:
    an_account(org)
    clock.move(72 * 3600 + 1)
    an_account(org)
    assert org.feed.expire() == 1
    assert len(taken(org)) == 1


def test_sends_long_texts_whole_where_diffs_are_off(org: SimulatedOrg) -> None:
    record = arranged(org)
    lines = [f"{number} {'of the notes ' * 6}" for number in range(20)]
    org.change(record, {"Description": "\n".join(lines)})
    org.change(record, {"Description": "\n".join([*lines[:-1], "Changed"])})
    org.switches.set("diff", chance=0)
    org.change(record, {"Description": "\n".join([*lines[:-1], "Changed again"])})
    shapes = [type(payload(event)["Description"]) for event in taken(org)]
    assert shapes == [str, dict, str]


def test_queues_nothing_of_a_transaction_that_fails(org: SimulatedOrg) -> None:
    record = arranged(org)

    def fail() -> None:
        with org.store.writing():
            change(org, record, "1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert taken(org) == []
    kept = org.record("Account", record.id)
    assert kept is not None
    assert kept.get("Phone") is None
