from pathlib import Path
from typing import Any

import pytest

from crm_events.simulator.life.course import Life
from crm_events.simulator.org import SimulatedOrg
from crm_events.simulator.switches import KINDS, UnknownSwitchError
from tests.unit.crm_events.simulator.reading import NOW, Clock, a_lived_in_org, records, sent


def test_comes_as_often_as_its_chance_says() -> None:
    org = SimulatedOrg()
    org.switches.set("drop", chance=0.25)
    assert 180 < sum(org.switches.fires("drop") for _ in range(1_000)) < 320


def test_comes_for_certain_as_many_times_as_set() -> None:
    org = SimulatedOrg()
    org.switches.set("limit", times=2)
    assert [org.switches.fires("limit") for _ in range(4)] == [True, True, False, False]


def test_comes_only_where_the_address_has_the_part() -> None:
    org = SimulatedOrg()
    org.switches.set("expire", times=1, where="/results")
    assert not org.switches.fires("expire", "/services/data/v66.0/limits")
    assert org.switches.fires("expire", "/services/data/v66.0/jobs/query/750/results?maxRecords=5")


def test_stands_as_it_stood_after_a_restart(tmp_path: Path) -> None:
    org = SimulatedOrg(tmp_path / "org.sqlite3")
    org.switches.set("slow", chance=0.5, value=7)
    org.switches.set("limit", times=3)
    org.switches.fires("limit")
    org.close()
    again = SimulatedOrg(tmp_path / "org.sqlite3")
    assert (again.switches["slow"].value, again.switches["limit"].times) == (7, 2)
    again.close()


def test_goes_back_to_how_a_new_org_stands() -> None:
    org = SimulatedOrg()
    org.switches.set("drop", chance=1)
    org.switches.set("diff", chance=0)
    org.switches.reset()
    assert [name for name in KINDS if org.switches[name].is_on] == ["diff"]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("nothing", {}),
        ("drop", {"chance": 1.5}),
        ("drop", {"chance": "often"}),
        ("drop", {"times": -1}),
        ("drop", {"colour": 1}),
        ("slow", {"value": float("nan")}),
    ],
)
def test_refuses_what_makes_no_sense(name: str, values: dict[str, Any]) -> None:
    with pytest.raises(UnknownSwitchError):
        SimulatedOrg().switches.set(name, **values)


def test_moves_the_clock() -> None:
    org = SimulatedOrg(clock=Clock())
    org.switches.set("skew", chance=1, value=-90)
    assert (org.now() - NOW).total_seconds() == -90


def test_deletes_for_good_without_an_event() -> None:
    org = a_lived_in_org(10)
    before = records(org).keys()
    sent(org)
    org.switches.set("hard_delete", times=3)
    Life(org).advance(3)
    gone = before - records(org).keys()
    assert len(gone) == 3
    assert {one["records"][0] for one in org.mishaps.after(0, 100)} == {stream.entity_id for stream in gone}
    assert not [stream for stream in gone if f'DELETE","recordIds":["{stream.entity_id}' in "".join(sent(org))]


def test_changes_records_without_an_event_and_without_moving_their_time() -> None:
    org = a_lived_in_org(10)
    org.switches.set("quiet_change", times=1)
    before = {stream: (dict(record.fields), record.modified_ms) for stream, record in records(org).items()}
    Life(org).advance(1)
    (mishap,) = [one for one in org.mishaps.after(0, 100) if one["name"] == "quiet_change"]
    (changed,) = [record for record in records(org).values() if record.id == mishap["records"][0]]
    fields, modified_ms = before[next(stream for stream in before if stream.entity_id == changed.id)]
    assert changed.fields != fields
    assert changed.modified_ms == modified_ms


def test_hides_records() -> None:
    org = a_lived_in_org(10)
    org.switches.set("hide", times=2)
    Life(org).advance(2)
    assert sum(record.hidden for record in records(org).values()) == 2


def test_empties_a_field_everywhere_and_tells_it_once() -> None:
    org = a_lived_in_org(30)
    org.switches.set("retype", times=1)
    sent(org)
    Life(org).advance(1)
    assert not [one for one in records(org).values() if "Review_Date__c" in one.fields]
    assert sum('"recordIds":["001*"]' in text for text in sent(org)) == 1
