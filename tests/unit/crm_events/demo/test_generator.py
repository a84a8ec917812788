from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from crm_events.demo.changes import Change, Record
from crm_events.demo.envelopes import relay
from crm_events.demo.simulation import Simulation
from crm_events.domain.events import EventType
from crm_events.domain.identifiers import StreamKey, normalize_id
from crm_events.record import EMPTY, fold
from crm_mappings.mapping import SourceRecord
from crm_mappings.registry import all_mappings, mapping_for_source
from tests.unit.crm_events.demo.reading import (
    NOW,
    an_org,
    chance,
    events,
    failures,
    folded,
    history,
    notices,
    parsed,
    parsed_history,
)

# What no event ever carries (cdc_message_structure), and what stands in the header.
_NEVER_IN_EVENTS = {"LastActivityDate", "SystemModstamp", "Id", "IsDeleted"}


def test_gives_the_same_history_for_the_same_arguments() -> None:
    assert list(an_org().history()) == history()


def test_gives_the_same_history_when_asked_again() -> None:
    org = an_org(accounts=10)
    assert list(org.history()) == list(org.history())


@pytest.mark.parametrize(("seed", "later"), [(2, 0), (1, 1)])
def test_shares_no_record_with_the_org_of_another_seed_or_moment(seed: int, later: int) -> None:
    other = events(map(parsed, an_org(seed, NOW + timedelta(seconds=later), accounts=10).history()))
    assert not {event.stream for event in other} & {event.stream for event in events(parsed_history())}


def test_has_thousands_of_changes_of_hundreds_of_accounts_by_default() -> None:
    found = events(map(parsed, an_org(accounts=300).history()))
    assert 5_000 <= len(found) <= 8_000
    assert len({event.stream for event in found if event.stream.entity_name == "Account"}) >= 300


def test_keeps_within_the_ninety_days_before_now() -> None:
    moments = [event.order_key.commit_timestamp / 1000 for event in events(parsed_history())]
    assert (NOW - timedelta(days=90)).timestamp() <= min(moments)
    assert max(moments) <= NOW.timestamp()


def test_has_every_type_of_change_but_the_one_that_is_ours() -> None:
    assert {event.event_type for event in events(parsed_history())} == set(EventType) - {EventType.SNAPSHOT}


def test_tells_of_an_overflow_and_of_a_retyped_field() -> None:
    assert Counter(notice.reason for notice in notices()) == {"overflow": 1, "wildcard": 1}


def test_has_a_few_events_of_each_kind_that_nobody_can_read() -> None:
    counts = Counter(failure.code for failure in failures())
    assert set(counts) == {"no_header", "raw_bitmaps", "unknown_change_type", "bad_record_id"}
    assert max(counts.values()) <= 5


def test_repeats_some_events() -> None:
    counts = Counter((event.stream, event.position) for event in events(parsed_history()))
    assert sum(count > 1 for count in counts.values()) > 5


def test_delivers_some_events_after_newer_ones_of_their_record() -> None:
    newest: dict[StreamKey, str] = {}
    late = 0
    for event in events(parsed_history()):
        late += event.position < newest.get(event.stream, "")
        newest[event.stream] = max(event.position, newest.get(event.stream, ""))
    assert late > 5


def test_merges_records_changed_alike_into_one_event() -> None:
    assert any(len(item.events) > 1 for item in parsed_history())


def test_has_an_object_without_a_mapping() -> None:
    assert {"Work_Order_Line__c"} == {
        event.stream.entity_name
        for event in events(parsed_history())
        if mapping_for_source(event.stream.entity_name) is None
    }


def test_writes_ids_with_their_checksum() -> None:
    assert all(
        normalize_id(event.stream.entity_id[:15]) == event.stream.entity_id for event in events(parsed_history())
    )


def test_writes_commit_numbers_of_nineteen_digits() -> None:
    assert {len(str(event.order_key.commit_number)) for event in events(parsed_history())} == {19}


def test_converts_leads_in_one_transaction() -> None:
    by_transaction: dict[str, list[tuple[str, str]]] = {}
    for event in history():
        header = event.get("detail", {}).get("payload", {}).get("ChangeEventHeader")
        if header:
            pair = (header["entityName"], header["changeType"])
            by_transaction.setdefault(header["transactionKey"], []).append(pair)
    conversion = [("Account", "CREATE"), ("Contact", "CREATE"), ("Opportunity", "CREATE"), ("Lead", "UPDATE")]
    assert conversion in by_transaction.values()


def test_has_every_field_that_a_mapping_reads() -> None:
    states = folded(events(map(parsed, an_org(accounts=300).history())))
    for mapping in all_mappings():
        wanted = {source for field in mapping.fields for source in field.sources} - _NEVER_IN_EVENTS
        known = {
            name for stream, state in states.items() if stream.entity_name == mapping.source for name in state.fields
        }
        # A text in the Name of a person comes only with rows, and few people have a suffix.
        assert wanted - known <= {"Name", "Suffix"}


def test_maps_without_an_issue() -> None:
    for stream, state in folded(events(parsed_history())).items():
        mapping = mapping_for_source(stream.entity_name)
        if mapping is not None:
            record = SourceRecord(stream.entity_id, state.fields, state.is_deleted, state.system_modified_ms)
            assert mapping.apply(record).issues == ()


def test_leaves_only_records_with_a_gap_to_be_read_again() -> None:
    found = events(parsed_history())
    with_gap = {event.stream for event in found if event.event_type.is_gap}
    assert {stream for stream, state in folded(found).items() if state.is_dirty} <= with_gap


def test_folds_into_the_records_as_the_org_has_them() -> None:
    simulation = Simulation(1, NOW, 60)
    list(simulation.history())
    states = folded(events(parsed_history()))
    for mapping in all_mappings():
        for record in simulation._org._records[mapping.source]:
            stream = StreamKey(record.entity, record.id)
            if not states[stream].is_dirty:
                assert _mapped(stream, states[stream].fields) == _mapped(stream, _as_created(record))


def _as_created(record: Record) -> Mapping[str, Any]:
    change = Change(record.entity, "CREATE", [record.id], NOW, 1, "key", "", "", record.fields)
    (created,) = parsed(relay(change, chance())).events
    return fold(EMPTY, created).fields


def _mapped(stream: StreamKey, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    mapping = mapping_for_source(stream.entity_name)
    assert mapping is not None
    return mapping.apply(SourceRecord(stream.entity_id, fields, is_deleted=False, system_modified_ms=0)).values


def test_sends_live_changes_that_fit_what_the_history_left() -> None:
    org = an_org()
    live = [event for n in range(300) for event in org.trickle(NOW + timedelta(seconds=3 * n + 3))]
    before = {stream for stream, state in folded(events(parsed_history())).items() if state.is_dirty}
    found = [*events(parsed_history()), *events(map(parsed, live))]
    # The last ones may still be on their way, and so be missed by those that came.
    newest = {event.stream for event in events(map(parsed, live[-40:]))}
    after = {stream for stream, state in folded(found).items() if state.is_dirty}
    assert after - newest <= before


def test_goes_on_alike_after_a_restart() -> None:
    moments = [NOW + timedelta(seconds=3 * n) for n in range(50)]
    first, restarted = an_org(accounts=10), an_org(accounts=10)
    sent = [first.trickle(moment) for moment in moments]
    assert [restarted.trickle(moment) for moment in moments] == sent


def test_commits_transactions_one_after_the_other_even_within_one_moment() -> None:
    simulation = Simulation(1, NOW, 10)
    list(simulation.history())
    numbers = [simulation.step(NOW)[0].commit_number for _ in range(10)]
    assert numbers == sorted(set(numbers))


def test_commits_live_changes_when_it_is_told() -> None:
    org = an_org(accounts=10)
    now = NOW + timedelta(hours=5)
    (event, *_) = next(found for found in (org.trickle(now) for _ in range(10)) if found)
    assert abs(parsed(event).events[0].order_key.commit_timestamp / 1000 - now.timestamp()) <= 1
