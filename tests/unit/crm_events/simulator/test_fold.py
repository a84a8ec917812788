"""What an org told, folded, is what the org has: the promise that everything else about the simulator rests on."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_events.domain.events import NewEvent
from crm_events.domain.identifiers import StreamKey
from crm_events.simulator.life.course import Life
from crm_events.simulator.org import SimulatedOrg
from crm_events.simulator.records import Record
from crm_events.simulator.schema import OBJECTS, Column
from tests.unit.crm_events.simulator.reading import (
    Clock,
    a_lived_in_org,
    chance,
    events,
    folded,
    known,
    parsed,
    records,
    sent,
    told,
)

ACCOUNT, CONTACT, LEAD, WORK = (OBJECTS[name] for name in ("Account", "Contact", "Lead", "Work_Order_Line__c"))


# What the history's retyped field and its overflow changed.
TOLD_BY_NOTICE = frozenset({"Review_Date__c", "NextStep", "LastModifiedDate", "LastModifiedById"})


def assert_told_all(org: SimulatedOrg, texts: Iterable[str], *, but: frozenset[str] = frozenset()) -> None:
    """Compare every record with what its events say; columns in ``but`` are told by a notice."""
    states, truth = folded(events(parsed(texts))), records(org)
    assert states.keys() == truth.keys()
    for stream, record in truth.items():
        state = states[stream]
        if not state.is_dirty:
            assert state.is_deleted == record.is_deleted, stream
            assert _without(known(stream.entity_name, state), but) == _without(told(record), but), stream


def _without(fields: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}


@pytest.mark.parametrize("seed", range(6))
def test_history_and_what_follows_are_told_whole(seed: int) -> None:
    org = a_lived_in_org(25, seed)
    Life(org).advance(200)
    assert_told_all(org, sent(org), but=TOLD_BY_NOTICE)


@pytest.mark.parametrize("seed", range(3))
def test_late_repeated_and_differently_shaped_events_tell_the_same(seed: int) -> None:
    org = a_lived_in_org(25, seed, reorder=0.2, duplicate=0.2, unreadable=0.05, other_shapes=0.5, in_flight=0.1)
    life = Life(org)
    life.advance(100)
    life.commit_due()
    assert_told_all(org, sent(org), but=TOLD_BY_NOTICE)


def test_only_records_with_a_gap_are_to_be_read_again() -> None:
    org = a_lived_in_org(40, gap_create=0.05, gap_update=0.05, gap_delete=0.3, gap_undelete=0.3)
    found = events(parsed(sent(org)))
    with_gap = {event.stream for event in found if event.event_type.is_gap}
    dirty = {stream for stream, state in folded(found).items() if state.is_dirty}
    assert dirty
    assert dirty <= with_gap


def test_no_record_is_taken_for_current_after_a_gap_that_nothing_followed() -> None:
    org = a_lived_in_org(40, gap_update=0.05)
    found = events(parsed(sent(org)))
    newest: dict[StreamKey, NewEvent] = {}
    for event in found:
        known_newest = newest.get(event.stream)
        if known_newest is None or event.position > known_newest.position:
            newest[event.stream] = event
    states = folded(found)
    assert all(states[stream].is_dirty for stream, event in newest.items() if event.event_type.is_gap)


_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
_LONG = st.lists(st.sampled_from([f"Line {n} {'of the notes ' * 6}" for n in range(30)]), min_size=14, max_size=20).map(
    "\r\n".join
)


def _values(column: Column) -> st.SearchStrategy[Any]:
    match column.type:
        case "boolean":
            return st.booleans()
        case "double" | "currency" | "percent":
            return st.none() | st.integers(-(10**6), 10**6).map(lambda number: number / 4)
        case "int":
            return st.none() | st.integers(-999, 999)
        case "date":
            return st.none() | st.dates().map(str)
        case "textarea":
            return st.none() | _TEXTS | _LONG
    return st.none() | _TEXTS


def _patches(kind: Any, without: Iterable[str] = ()) -> st.SearchStrategy[dict[str, Any]]:
    names = [column.name for column in kind.columns.values() if column.is_writable and column.name not in without]
    chosen = st.lists(st.sampled_from(names), min_size=1, max_size=6, unique=True)
    return chosen.flatmap(lambda some: st.fixed_dictionaries({name: _values(kind.columns[name]) for name in some}))


_PERSON_PARTS = ("LastName", "FirstName", "MiddleName", "Salutation", "Suffix", "RecordTypeId", "PersonContactId")
_COMPANY_VALUES = _patches(ACCOUNT, (*_PERSON_PARTS, "Name"))
_PERSON_VALUES = _patches(ACCOUNT, ("Name", "LastName", "RecordTypeId", "PersonContactId"))
_CONTACT_VALUES = _patches(CONTACT, ("LastName", "AccountId", "IsPersonAccount"))
_WORK_VALUES = _patches(WORK, ("Name",))
_Act = Callable[[SimulatedOrg, list[Record]], None]


def _creating(entity: str, required: dict[str, Any]) -> Callable[[dict[str, Any]], _Act]:
    def make(values: dict[str, Any]) -> _Act:
        def act(org: SimulatedOrg, made: list[Record]) -> None:
            with org.store.writing():
                transaction = org.begin()
                record = Record(entity, org.mint.record_id(entity), {**values, **required})
                if entity == "Account" and "LastName" in required:
                    transaction.create_person(record, org.mint.record_id("Contact"))
                else:
                    transaction.create(record)
                org.commit(transaction)
            made.append(record)

        return act

    return make


def _changing(which: int, values: dict[str, Any]) -> _Act:
    def act(org: SimulatedOrg, made: list[Record]) -> None:
        record = _fresh(org, made, which)
        fitting = {
            name: value
            for name, value in values.items()
            if record and name in record.kind.columns and (record.is_person or name not in ("FirstName", "PersonEmail"))
        }
        if record is not None and not record.is_deleted and fitting:
            org.change(record, fitting)

    return act


def _deleting_or_restoring(which: int) -> _Act:
    def act(org: SimulatedOrg, made: list[Record]) -> None:
        record = _fresh(org, made, which)
        if record is not None:
            (org.undelete if record.is_deleted else org.delete)([record])

    return act


def _merged(values: dict[str, Any]) -> _Act:
    def act(org: SimulatedOrg, _made: list[Record]) -> None:
        group = org.store.find("entity = 'Work_Order_Line__c' AND NOT is_deleted")
        if group:
            with org.store.writing():
                transaction = org.begin(user=org.users[3])
                transaction.update(group, values)
                org.commit(transaction)

    return act


def _fresh(org: SimulatedOrg, made: list[Record], which: int) -> Record | None:
    one = made[which % len(made)] if made else None
    return org.record(one.entity, one.id) if one else None


_ACTS = st.one_of(
    _COMPANY_VALUES.map(_creating("Account", {"Name": "Lindqvist Marine AB"})),
    _PERSON_VALUES.map(_creating("Account", {"LastName": "Dahl"})),
    _CONTACT_VALUES.map(_creating("Contact", {"LastName": "Ek"})),
    _WORK_VALUES.map(_creating("Work_Order_Line__c", {"Name": "WOL-1"})),
    st.builds(_changing, st.integers(0, 9), st.one_of(_COMPANY_VALUES, _PERSON_VALUES, _CONTACT_VALUES, _WORK_VALUES)),
    st.builds(_deleting_or_restoring, st.integers(0, 9)),
    _WORK_VALUES.map(_merged),
)


@settings(max_examples=60)
@given(acts=st.lists(_ACTS, min_size=1, max_size=14), shapes=st.sampled_from([0.0, 0.5]), seed=st.integers(0, 99))
def test_whatever_people_do_is_told_whole(acts: list[_Act], shapes: float, seed: int) -> None:
    org = SimulatedOrg(seed=seed, clock=Clock())
    org.switches.set("other_shapes", chance=shapes)
    made: list[Record] = []
    for act in acts:
        act(org, made)
    texts = sent(org)
    chance(seed).shuffle(texts)
    assert_told_all(org, texts)
    org.close()


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_left_to_read_while_nothing_goes_wrong(seed: int) -> None:
    org = SimulatedOrg(seed=seed, clock=Clock())
    _creating("Account", {"Name": "Lindqvist Marine AB"})({})(org, [])
    Life(org).advance(250)
    texts = sent(org)
    assert not [stream for stream, state in folded(events(parsed(texts))).items() if state.is_dirty]
    assert_told_all(org, texts)
