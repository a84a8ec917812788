from collections import Counter
from datetime import timedelta
from functools import cache

from crm_events.cdc import ParsedItem
from crm_events.domain.events import EventType
from crm_events.domain.identifiers import StreamKey, normalize_id
from crm_events.simulator.life.course import Life
from crm_events.simulator.org import SimulatedOrg
from crm_mappings.mapping import SourceRecord
from crm_mappings.registry import all_mappings, mapping_for_source
from tests.unit.crm_events.simulator.reading import NOW, Clock, a_lived_in_org, events, folded, parsed, records, sent

# What no event ever carries (cdc_message_structure), and what stands in the header.
_NEVER_IN_EVENTS = {"LastActivityDate", "SystemModstamp", "Id", "IsDeleted"}


@cache
def history() -> list[str]:
    return sent(a_lived_in_org(60, reorder=0.03, duplicate=0.015, unreadable=0.01, other_shapes=0.1))


@cache
def large_history() -> list[ParsedItem]:
    return parsed(sent(a_lived_in_org(300)))


@cache
def parsed_history() -> list[ParsedItem]:
    return parsed(history())


def test_gives_the_same_history_for_the_same_seed_and_moment() -> None:
    assert sent(a_lived_in_org(10)) == sent(a_lived_in_org(10))


def test_shares_no_record_with_the_org_of_another_seed() -> None:
    assert not records(a_lived_in_org(10)).keys() & records(a_lived_in_org(10, seed=2)).keys()


def test_has_thousands_of_changes_of_hundreds_of_accounts() -> None:
    found = events(large_history())
    assert 5_000 <= len(found) <= 8_000
    assert len({event.stream for event in found if event.stream.entity_name == "Account"}) >= 300


def test_keeps_within_the_ninety_days_before_now() -> None:
    moments = [event.order_key.commit_timestamp / 1000 for event in events(parsed_history())]
    assert (NOW - timedelta(days=90)).timestamp() <= min(moments)
    assert max(moments) <= NOW.timestamp()


def test_has_every_type_of_change_but_the_one_that_is_ours() -> None:
    types = Counter[EventType]()
    for seed in range(3):  # the rarest comes in one history or another
        types.update(event.event_type for event in events(parsed(sent(a_lived_in_org(60, seed)))))
    assert set(types) == set(EventType) - {EventType.SNAPSHOT}


def test_tells_of_an_overflow_and_of_a_retyped_field() -> None:
    reasons = Counter(notice.reason for item in parsed_history() for notice in item.notices)
    assert reasons == {"overflow": 1, "wildcard": 1}


def test_has_a_few_events_of_each_kind_that_nobody_can_read() -> None:
    counts = Counter(failure.code for item in parsed_history() for failure in item.failures)
    assert set(counts) == {"no_header", "raw_bitmaps", "unknown_change_type", "bad_record_id"}


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
    entities = {event.stream.entity_name for event in events(parsed_history())}
    assert {name for name in entities if mapping_for_source(name) is None} == {"Work_Order_Line__c"}


def test_writes_ids_with_their_checksum() -> None:
    ids = {event.stream.entity_id for event in events(parsed_history())}
    assert all(normalize_id(entity_id[:15]) == entity_id for entity_id in ids)


def test_writes_commit_numbers_of_nineteen_digits_one_after_the_other() -> None:
    found = events(parsed(sent(a_lived_in_org(10))))
    numbers = [event.order_key.commit_number for event in found]
    assert {len(str(number)) for number in numbers} == {19}
    assert numbers == sorted(numbers)


def test_converts_leads_in_one_transaction() -> None:
    by_transaction: dict[int, list[tuple[str, str]]] = {}
    for event in sorted(events(parsed_history()), key=lambda event: event.position):
        pair = (event.stream.entity_name, event.event_type.value)
        by_transaction.setdefault(event.order_key.commit_number, []).append(pair)
    conversion = [("Account", "CREATE"), ("Contact", "CREATE"), ("Opportunity", "CREATE"), ("Lead", "UPDATE")]
    assert conversion in by_transaction.values()


def test_has_every_field_that_a_mapping_reads() -> None:
    states = folded(events(large_history()))
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


def test_moves_dates_that_no_event_carries() -> None:
    org = a_lived_in_org(20)
    assert any("LastActivityDate" in record.fields for record in records(org).values())
    assert "LastActivityDate" not in "".join(sent(org))


def test_goes_on_alike_after_a_restart() -> None:
    whole, parts = SimulatedOrg(clock=Clock()), SimulatedOrg(clock=Clock())
    for org, shares in ((whole, (40,)), (parts, (25, 15))):
        for share in shares:
            Life(org).advance(share)
    assert _told(whole) == _told(parts)


def test_goes_on_with_a_history_that_was_cut_off() -> None:
    whole = a_lived_in_org(40)
    cut = SimulatedOrg(clock=Clock())
    next(Life(cut).load_history(40))
    for _ in Life(cut).load_history(7):  # the size of an org is that of its first load
        pass
    assert _told(whole) == _told(cut)


def test_holds_what_a_slow_transaction_changes_until_its_commit() -> None:
    org = a_lived_in_org(10)
    org.switches.set("in_flight", times=1, value=60)
    sent(org)
    life, clock = Life(org), _clock_of(org)
    life.step()
    assert len(org.in_flight) == 1
    assert org.locked
    assert sent(org) == []
    clock.move(61)
    life.commit_due(org.now())
    (event, *_) = events(parsed(sent(org)))
    assert event.order_key.commit_timestamp == (NOW + timedelta(seconds=60)).timestamp() * 1000
    assert records(org)[event.stream].modified_ms == NOW.timestamp() * 1000
    assert not org.locked


def _clock_of(org: SimulatedOrg) -> Clock:
    clock = org._clock
    assert isinstance(clock, Clock)
    return clock


def _told(org: SimulatedOrg) -> list[tuple[str, str]]:
    return [(event.position, str(event.stream)) for event in events(parsed(sent(org)))]
