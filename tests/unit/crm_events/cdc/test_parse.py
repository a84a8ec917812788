import json
from decimal import Decimal
from typing import Any

import pytest

from crm_events.cdc import ItemFailure, ParsedItem, parse_item, split_body
from crm_events.domain.events import EventSource, EventType
from crm_events.domain.identifiers import OVERFLOW_ID
from crm_events.domain.order import OrderKey
from tests.builders import ORG_ID, TIMESTAMP, a_change, a_new_event, a_payload, a_stream, an_id


def parse(value: Any, allowed_orgs: tuple[str, ...] = ()) -> ParsedItem:
    (item,) = split_body(json.dumps([value]).encode())
    return parse_item(item, "delivery-1", 0, allowed_orgs)


def the_failure(value: Any, allowed_orgs: tuple[str, ...] = ()) -> ItemFailure:
    parsed = parse(value, allowed_orgs)
    assert not parsed.events
    (failure,) = parsed.failures
    assert "Next: " in failure.detail
    return failure


def with_header(**fields: Any) -> dict[str, Any]:
    payload = a_payload()
    payload["ChangeEventHeader"].update(fields)
    return payload


def without_header(name: str) -> dict[str, Any]:
    payload = a_payload()
    del payload["ChangeEventHeader"][name]
    return payload


def test_a_change_becomes_the_event_of_its_record() -> None:
    assert parse(a_change()) == ParsedItem(events=(a_new_event(),))


def test_an_event_names_its_delivery_and_source() -> None:
    (item,) = split_body(json.dumps(a_change()).encode())
    (event,) = parse_item(item, "some-delivery", 41).events
    assert (event.delivery_id, event.delivery_index, event.source) == ("some-delivery", 41, EventSource.CDC)


def test_an_event_keeps_its_text_as_it_arrived() -> None:
    body = json.dumps(a_change(), indent=3).encode()
    (item,) = split_body(body)
    assert parse_item(item, "delivery-1", 0).events[0].raw == body.decode()


def test_every_wire_shape_gives_the_same_event() -> None:
    payload = a_payload()
    relay = a_change()
    cometd = {"schema": "q7Vn", "payload": payload, "event": {"replayId": 20417733}}
    shapes: list[dict[str, Any]] = [
        relay,
        {**relay, "source": "aws.partner/appflow/salesforce.com/2109/flow", "detail": payload},
        cometd,
        {"data": cometd, "channel": "/data/AccountChangeEvent"},
        {"replayId": "AAAAAAE3jXUAAA==", "schemaId": "q7Vn", "payload": payload},
        payload,
    ]
    events = [parse(shape).events[0] for shape in shapes]
    assert {(event.position, event.stream, event.event_type) for event in events} == {
        (a_new_event().position, a_stream(), EventType.UPDATE)
    }


def test_the_ids_of_the_bus_and_the_relay_are_no_part_of_the_identity() -> None:
    again = a_change() | {"id": "another", "time": "2026-10-07T00:00:00Z"}
    again["detail"]["id"] = "yet another"
    assert parse(again).events[0].event_id == a_new_event().event_id


def test_a_commit_number_keeps_all_its_digits() -> None:
    assert parse(a_change(number=1791271205417203715)).events[0].order_key.commit_number == 1791271205417203715


@pytest.mark.parametrize("number", [str(TIMESTAMP), TIMESTAMP, {"long": TIMESTAMP}])
def test_takes_a_number_in_every_exact_form(number: Any) -> None:
    assert parse(with_header(commitTimestamp=number)).events[0].order_key.commit_timestamp == TIMESTAMP


def test_takes_a_number_with_nothing_behind_its_point() -> None:
    body = json.dumps(a_payload()).replace(f": {TIMESTAMP},", f": {TIMESTAMP}.0,").encode()
    (item,) = split_body(body)
    assert isinstance(item.value["ChangeEventHeader"]["commitTimestamp"], Decimal)
    assert parse_item(item, "delivery-1", 0).events[0].order_key.commit_timestamp == TIMESTAMP


@pytest.mark.parametrize("name", ["commitTimestamp", "commitNumber", "sequenceNumber"])
@pytest.mark.parametrize("bad", [None, True, -1, 1.5, 2**63, "1 ", "-1", "1.0", "", "9" * 40, [1], {"a": 1}, 1e300])
def test_refuses_a_number_that_is_none(name: str, bad: Any) -> None:
    failure = the_failure(with_header(**{name: bad}))
    assert (failure.code, failure.cause, failure.entity_name) == ("bad_header_field", name, "Account")


@pytest.mark.parametrize(
    "name", ["entityName", "changeType", "commitTimestamp", "commitNumber", "sequenceNumber", "transactionKey"]
)
def test_names_the_header_field_that_is_missing(name: str) -> None:
    failure = the_failure(without_header(name))
    assert (failure.code, failure.cause) == ("bad_header_field", name)
    assert f"{name} is missing" in failure.detail


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("entityName", 7),
        ("entityName", "Acc ount"),
        ("entityName", "A#1"),
        ("changeType", 7),
        ("changeType", ""),
        ("transactionKey", ""),
        ("transactionKey", "x" * 201),
        ("transactionKey", "a\x00b"),
        ("transactionKey", 7),
        ("changedFields", "Name"),
        ("changedFields", ["Name", 7]),
        ("nulledFields", {"a": 1}),
        ("diffFields", [None]),
    ],
)
def test_refuses_a_header_field_of_the_wrong_kind(name: str, bad: Any) -> None:
    failure = the_failure(with_header(**{name: bad}))
    assert (failure.code, failure.cause) == ("bad_header_field", name)


def test_a_detail_shows_only_the_beginning_of_what_was_wrong() -> None:
    assert len(the_failure(with_header(commitNumber="x" * 100_000)).detail) < 400


@pytest.mark.parametrize("name", ["changedFields", "nulledFields", "diffFields"])
def test_a_list_that_is_null_is_empty(name: str) -> None:
    assert parse(with_header(**{name: None})).events


@pytest.mark.parametrize("value", [None, 1, "x", True, [], [{"a": 1}]])
def test_refuses_an_item_that_is_no_object(value: Any) -> None:
    assert the_failure(value).code == "not_an_object"


@pytest.mark.parametrize(
    "value", [{}, {"detail": {}}, {"detail": {"payload": {"Name": "x"}}}, {"ChangeEventHeader": None}, {"data": [1]}]
)
def test_refuses_an_object_without_a_header(value: Any) -> None:
    assert the_failure(value).code == "no_header"


def test_an_unknown_type_of_change_is_a_class_of_failure_of_its_own() -> None:
    failure = the_failure(a_change("MERGE", {}))
    assert (failure.code, failure.cause, failure.entity_name) == ("unknown_change_type", "MERGE", "Account")


def test_refuses_a_posted_snapshot() -> None:
    assert the_failure(a_change("SNAPSHOT", {})).code == "snapshot_posted"


@pytest.mark.parametrize("bitmap", ["0x4C", "4-0x02", "0x", "12-0xabCD"])
@pytest.mark.parametrize("name", ["changedFields", "nulledFields", "diffFields"])
def test_refuses_bitmaps_that_nobody_turned_into_names(name: str, bitmap: str) -> None:
    failure = the_failure(with_header(**{name: [bitmap]}))
    assert failure.code == "raw_bitmaps"
    assert "bitmap" in failure.detail


def test_unwraps_avro_unions_in_the_header() -> None:
    wrapped = with_header(entityName={"string": "Account"}, recordIds={"array": [{"string": an_id()}]})
    assert parse(wrapped).events[0].stream == a_stream()


def test_a_merged_event_becomes_one_event_for_each_record() -> None:
    parsed = parse(a_change(ids=[an_id(1), an_id(2), an_id(3)]))
    assert [event.stream for event in parsed.events] == [a_stream(1), a_stream(2), a_stream(3)]
    assert len({event.event_id for event in parsed.events}) == 3


def test_completes_short_record_ids() -> None:
    assert parse(a_change(ids=[an_id()[:15]])).events[0].stream == a_stream()


def test_a_record_named_twice_gives_one_event() -> None:
    assert len(parse(a_change(ids=[an_id(), an_id()[:15]])).events) == 1


def test_a_bad_record_id_does_not_stop_the_others() -> None:
    parsed = parse(a_change(ids=[an_id(1), "nonsense", an_id(2)]))
    assert [event.stream for event in parsed.events] == [a_stream(1), a_stream(2)]
    assert [(failure.code, failure.record) for failure in parsed.failures] == [("bad_record_id", "nonsense")]


@pytest.mark.parametrize(("bad", "shown"), [(7, "7"), (None, "null"), ({"a": 1}, '{"a": 1}'), ("a\x00b", "a�b")])
def test_shows_a_record_id_that_is_no_text(bad: Any, shown: str) -> None:
    failure = the_failure(a_change(ids=[bad]))
    assert (failure.code, failure.record) == ("bad_record_id", shown)


@pytest.mark.parametrize("ids", [[], None, "001Qy00000KdT1aIAF", {}])
def test_refuses_an_event_that_names_no_record(ids: Any) -> None:
    assert the_failure(with_header(recordIds=ids)).code == "no_record_id"


@pytest.mark.parametrize("ids", [[OVERFLOW_ID], [an_id()], [], ["nonsense"], None])
def test_an_overflow_is_a_notice_whatever_id_it_carries(ids: Any) -> None:
    parsed = parse(with_header(changeType="GAP_OVERFLOW", recordIds=ids))
    assert not parsed.events
    assert not parsed.failures
    (notice,) = parsed.notices
    assert (notice.reason, notice.entity_name, notice.record_id) == ("overflow", "Account", OVERFLOW_ID)


@pytest.mark.parametrize("overflow_id", [OVERFLOW_ID, OVERFLOW_ID[:15]])
def test_the_overflow_id_never_names_a_stream(overflow_id: str) -> None:
    parsed = parse(a_change("DELETE", ids=[overflow_id]))
    assert not parsed.events
    assert parsed.notices[0].reason == "overflow"


@pytest.mark.parametrize("change_type", ["UPDATE", "GAP_UPDATE", "DELETE"])
def test_a_wildcard_is_a_notice_whatever_the_type_of_change(change_type: str) -> None:
    parsed = parse(a_change(change_type, {}, ids=["001*", an_id()]))
    assert [(notice.reason, notice.record_id) for notice in parsed.notices] == [("wildcard", "001*")]
    assert [event.stream for event in parsed.events] == [a_stream()]


def test_a_notice_is_the_same_however_often_it_arrives() -> None:
    first, second = (parse(a_change("GAP_OVERFLOW", {}, ids=[OVERFLOW_ID])).notices[0] for _ in range(2))
    assert first == second
    assert first.order_key == OrderKey(TIMESTAMP, TIMESTAMP * 1_000_000 + 417_203_714, 1)


@pytest.mark.parametrize("allowed", [ORG_ID, ORG_ID[:15], f" {ORG_ID} "])
def test_takes_events_of_an_org_that_is_allowed(allowed: str) -> None:
    assert parse(a_change(), ("00D000000000001EAA", allowed)).events


def test_refuses_events_of_an_org_that_is_not_allowed() -> None:
    failure = the_failure(a_change(), ("00D000000000001EAA",))
    assert (failure.code, failure.cause, failure.entity_name) == ("org_not_allowed", ORG_ID, "Account")
    assert "ALLOWED_ORGS" in failure.detail


@pytest.mark.parametrize(
    "source", [None, 7, "aws.partner/appflow/salesforce.com/2109/flow", f"x aws.partner/salesforce.com/{ORG_ID}/0YL"]
)
def test_refuses_events_that_do_not_tell_their_org_where_it_matters(source: Any) -> None:
    failure = the_failure({**a_change(), "source": source}, (ORG_ID,))
    assert failure.code == "org_not_allowed"
    assert "Event Relay" in failure.detail
