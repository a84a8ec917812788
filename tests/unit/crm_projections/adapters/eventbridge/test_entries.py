import json
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from crm_projections.adapters.eventbridge.entries import MAX_ENTRIES, Packer, UnfitMessageError, batches, entry_size
from crm_projections.ports.broadcaster import Message
from tests.builders import a_new_event
from tests.unit.crm_projections.services.test_messages import SCHEMA
from tests.world import World

LIMIT = 2000


def a_packer(limit: int = LIMIT, url: str = "https://crm.example.com") -> Packer:
    return Packer("crm", "client-management", limit, url)


def a_message(version: int = 1, text: str = "") -> Message:
    detail = {
        "entity_id": "001Qy00000000001AAA",
        "data": {"values": {"name": text}},
        "changed_fields": [{"field": "name", "before": None, "after": text}],
    }
    return Message(f"Account#001Qy00000000001AAA/{version}", "client", detail)


def test_size_counts_bytes_of_source_type_detail_and_resources() -> None:
    assert entry_size({"Source": "å", "DetailType": "bc", "Detail": '{"ł": 1}', "Resources": ["d", "ef"]}) == 16


def test_size_counts_fourteen_for_a_time() -> None:
    assert entry_size({"Time": datetime(2026, 10, 6, tzinfo=UTC)}) == 14


@given(st.lists(st.text(max_size=900), max_size=40), st.integers(500, 3000))
def test_requests_stay_within_both_limits_and_hold_every_message_once_in_order(texts: list[str], limit: int) -> None:
    packer = a_packer(limit)
    items = [packer.item(index, a_message(index, text)) for index, text in enumerate(texts)]

    requests = list(batches(items, limit))

    assert [item for request in requests for item in request] == items
    assert all(0 < len(request) <= MAX_ENTRIES for request in requests)
    assert all(sum(entry_size(item.entry) for item in request) < limit for request in requests)
    for before, after in pairwise(requests):  # no request could have taken the next message too
        assert len(before) == MAX_ENTRIES or sum(item.size for item in [*before, after[0]]) >= limit


def test_a_message_that_just_fits_is_sent_whole() -> None:
    size = a_packer().item(0, a_message(text="x")).size
    assert not a_packer(size + 1).item(0, a_message(text="x")).is_link
    with pytest.raises(UnfitMessageError):
        a_packer(size // 2).item(0, a_message(text="x"))


def test_a_large_message_links_to_the_entity_and_names_what_changed() -> None:
    item = a_packer(url="https://crm.example.com/").item(0, a_message(text="x" * LIMIT))

    detail = json.loads(item.entry["Detail"])
    path = reverse("entity", args=["client", "001Qy00000000001AAA"])
    assert detail["data"] == {"link": f"https://crm.example.com{path}?include_deleted=true"}
    assert detail["changed_fields"] == [{"field": "name"}]


def test_a_message_too_large_even_with_a_link_says_which_setting_to_raise() -> None:
    with pytest.raises(UnfitMessageError, match="EVENTBRIDGE_MAX_REQUEST_BYTES"):
        a_packer(100).item(0, a_message(text="x" * 100))


@pytest.mark.parametrize("entity", ["", "x" * 121], ids=["none", "long"])
def test_an_entity_name_that_would_be_dropped_without_a_word_is_unfit(entity: str) -> None:
    with pytest.raises(UnfitMessageError, match="entity"):
        a_packer().item(0, Message("id", entity, {}))


@pytest.mark.parametrize("limit", [100_000, 1000], ids=["whole", "link"])
def test_what_is_sent_fits_the_published_schema(limit: int) -> None:
    world = World()
    world.happen(a_new_event("CREATE", {"Description": "x" * 2000}))
    (sent,) = world.broadcaster.sent

    item = a_packer(limit).item(0, sent)

    assert item.is_link == (limit == 1000)
    assert problems(json.loads(item.entry["Detail"])) == []


def test_the_schema_wants_values_or_a_link_and_not_both() -> None:
    world = World()
    world.happen(a_new_event("CREATE"))
    detail = dict(world.broadcaster.sent[0].detail)

    assert problems(detail | {"data": {}})
    assert problems(detail | {"data": detail["data"] | {"link": "https://crm.example.com"}})
    assert problems(detail | {"data": {"link": "https://crm.example.com"}})  # its changed fields have values


def problems(detail: dict[str, Any]) -> list[str]:
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(detail)]
