from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random

import pytest

from crm_events.adapters.dynamodb.items import Item
from crm_events.adapters.dynamodb.planning import Plan, plan_append
from crm_events.adapters.dynamodb.sizes import MAX_ACTIONS, MAX_TRANSACTION_BYTES, item_size
from crm_events.adapters.dynamodb.tables import Tables
from crm_events.adapters.dynamodb.transactions import (
    AppendRefusedError,
    Cancelled,
    StreamWrite,
    WriteMaker,
    pack_writes,
    read_reasons,
)
from crm_events.domain.heads import Head
from crm_events.ports.event_store import StreamAppend
from tests.builders import TIMESTAMP, a_new_event, a_stream

NOW = datetime(2026, 10, 6, tzinfo=UTC)


def a_plan(number: int = 1, events: int = 1, head: Head | None = None) -> Plan:
    stream = a_stream(number)
    new = [a_new_event(stream=stream, timestamp=TIMESTAMP + second * 1000) for second in range(events)]
    return plan_append(StreamAppend(stream, new), [event.position for event in new], head, {}, NOW)


def a_write(number: int = 1, payloads: Sequence[bytes] = (b"{}",), head: Head | None = None) -> StreamWrite:
    plan = a_plan(number, len(payloads), head)
    packed = {position: payload for (position, _), payload in zip(plan.new_events, payloads, strict=True)}
    return WriteMaker(Tables("t"), NOW).write_of(plan, head, packed)


def noise(size: int, seed: int = 0) -> bytes:
    return Random(seed).randbytes(size)  # noqa: S311  # the same on every run


def packs(writes: Sequence[StreamWrite], alone: Sequence[int] = ()) -> list[list[str]]:
    found = pack_writes(writes, frozenset(a_stream(number) for number in alone))
    return [[write.stream.entity_id[-8:-3] for write in pack] for pack in found]


def puts(write: StreamWrite) -> list[Item]:
    return [action["Put"]["Item"] for action in write.actions if "Put" in action]


# What an append writes


def test_writes_the_head_with_its_events() -> None:
    write = a_write(payloads=[b"{}", b"{}"])
    assert [next(iter(action)) for action in write.actions] == ["Update", "Put", "Put"]


def test_writes_a_head_only_at_the_version_it_was_read_at() -> None:
    update = a_write(head=Head(a_stream(), 4, "")).actions[0]["Update"]
    assert update["ConditionExpression"] == "version = :known"
    assert update["ExpressionAttributeValues"][":known"] == {"N": "4"}


def test_makes_a_head_only_where_there_is_none() -> None:
    assert a_write().actions[0]["Update"]["ConditionExpression"] == "attribute_not_exists(entity_key)"


def test_splits_a_large_payload_over_items_of_the_same_transaction() -> None:
    write = a_write(payloads=[noise(600_000)])
    assert (len(write.actions), write.staged) == (4, [])


def test_writes_a_payload_once_that_two_events_share() -> None:
    write = a_write(payloads=[noise(600_000), noise(600_000)])
    keys = [(item["entity_key"]["S"], item["event_position"]["S"]) for item in puts(write)]
    assert len(keys) == len(set(keys)) == 4


def test_writes_large_payloads_beforehand_if_the_transaction_would_be_too_large() -> None:
    write = a_write(payloads=[noise(300_000, seed) for seed in range(20)])
    assert len(write.actions) == 21
    assert len(write.staged) == 20
    assert sum(map(item_size, puts(write))) < MAX_TRANSACTION_BYTES


def test_writes_parts_beforehand_if_the_transaction_would_have_too_many_actions() -> None:
    write = a_write(payloads=[noise(450_000), *[b"{}"] * 98])
    assert (len(write.actions), len(write.staged)) == (MAX_ACTIONS, 2)


# How streams share transactions


def test_packs_streams_together_up_to_a_hundred_actions() -> None:
    assert [len(pack) for pack in packs([a_write(number) for number in range(1, 121)])] == [50, 50, 20]


def test_counts_the_head_of_each_stream_among_the_actions() -> None:
    writes = [a_write(number, [b"{}"] * 49) for number in (1, 2)]
    assert packs(writes) == [["00001", "00002"]]
    assert packs([*writes[:1], a_write(2, [b"{}"] * 50)]) == [["00001"], ["00002"]]


def test_packs_no_more_than_a_transaction_takes_in_bytes() -> None:
    assert packs([a_write(number, [noise(390_000)] * 5) for number in (1, 2, 3)]) == [["00001", "00002"], ["00003"]]


def test_writes_alone_whoever_failed_in_company() -> None:
    assert packs([a_write(number) for number in (1, 2, 3)], alone=[2]) == [["00002"], ["00001", "00003"]]


# What a cancelled transaction says


def reasons(*codes: str) -> list[dict[str, str]]:
    return [{"Code": code} for code in codes]


def culprits(found: Sequence[Cancelled]) -> list[bool]:
    return [one.is_culprit for one in found]


def test_finds_the_stream_whose_head_moved_on() -> None:
    pack = [a_write(1), a_write(2)]
    found = read_reasons(pack, reasons("None", "None", "ConditionalCheckFailed", "None"))
    assert culprits(found) == [False, True]
    assert found[1].known == frozenset()


def test_finds_the_event_that_the_log_has_already() -> None:
    write = a_write(1, [b"{}", b"{}"])
    (found,) = read_reasons([write], reasons("None", "None", "ConditionalCheckFailed"))
    assert found.known == {write.actions[2]["Put"]["Item"]["event_position"]["S"]}


def test_finds_both_at_once() -> None:
    write = a_write(1)
    (found,) = read_reasons([write], reasons("ConditionalCheckFailed", "ConditionalCheckFailed"))
    assert found == Cancelled(write.stream, is_culprit=True, is_throttled=False, known=found.known)
    assert len(found.known) == 1


@pytest.mark.parametrize("code", ["ProvisionedThroughputExceeded", "ThrottlingError", "RequestLimitExceeded"])
def test_tells_throttling_from_conflict(code: str) -> None:
    found = read_reasons([a_write(1), a_write(2)], reasons("TransactionConflict", "None", code, "None"))
    assert culprits(found) == [True, True]
    assert [one.is_throttled for one in found] == [False, True]


@pytest.mark.parametrize("code", ["ItemCollectionSizeLimitExceeded", "ValidationError"])
def test_does_not_try_again_what_is_refused_for_good(code: str) -> None:
    with pytest.raises(AppendRefusedError, match=str(a_stream(2))):
        read_reasons([a_write(1), a_write(2)], reasons("None", "None", "None", code))
