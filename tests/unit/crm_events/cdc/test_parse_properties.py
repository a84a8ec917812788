"""Whatever arrives, splitting raises its own error or nothing, and parsing raises nothing."""

from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from crm_events.cdc import BodyError, BodyItem, parse_item, split_body
from crm_events.cdc.json_text import encode_exact
from crm_events.domain.events import EventType
from tests.builders import a_change, an_id

scalars = st.none() | st.booleans() | st.integers() | st.decimals() | st.floats() | st.text(max_size=20)
header_names = st.sampled_from(
    [
        "ChangeEventHeader",
        "payload",
        "detail",
        "data",
        "source",
        "entityName",
        "recordIds",
        "changeType",
        "changedFields",
        "nulledfields",
        "commitNumber",
        "commitTimestamp",
        "sequenceNumber",
        "transactionKey",
        "string",
        "com.sforce.eventbus.Address",
    ]
)
likely_texts = st.sampled_from([*EventType, "GAP_OVERFLOW", "Account", "001*", "0x4C", an_id(), an_id()[:15], "12"])
values = st.recursive(
    scalars | likely_texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(header_names | st.text(max_size=9), inner, max_size=6),
    max_leaves=25,
)
headers = st.dictionaries(header_names, values, max_size=12)


def outcomes(value: Any, *orgs: str) -> int:
    parsed = parse_item(BodyItem(value, "{}"), "delivery-1", 0, orgs)
    return len(parsed.events) + len(parsed.notices) + len(parsed.failures)


whole_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(-(10**9), 10**9, places=3) | whole_texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(whole_texts, inner, max_size=4),
    max_leaves=15,
)


@given(st.binary())
def test_any_bytes_are_items_or_a_body_error(body: bytes) -> None:
    with suppress(BodyError):
        split_body(body)


@given(st.text(alphabet=st.sampled_from('[]{}",:0123456789.eE+-truefalsn\\ud8 \n\x00é'), max_size=60))
def test_any_text_like_json_is_items_or_a_body_error(text: str) -> None:
    with suppress(BodyError):
        split_body(text.encode())


@given(st.lists(json_values, max_size=4), st.sampled_from(["", " ", "\n\t", "\r\n  "]))
def test_each_item_has_its_value_and_its_text(elements: list[Any], space: str) -> None:
    texts = [encode_exact(element) for element in elements]
    body = f"{space}[{space}{f'{space},{space}'.join(texts)}{space}]{space}"
    assert split_body(body.encode()) == [BodyItem(*pair) for pair in zip(elements, texts, strict=True)]


@given(values)
def test_any_value_has_an_outcome(value: Any) -> None:
    assert outcomes(value) >= 1


@given(headers, st.lists(st.text(max_size=20), max_size=2))
def test_any_header_has_an_outcome(header: dict[str, Any], orgs: list[str]) -> None:
    change = a_change()
    change["detail"]["payload"]["ChangeEventHeader"].update(header)
    assert outcomes(change, *orgs) >= 1


@given(st.lists(likely_texts | scalars, min_size=1, max_size=6))
def test_every_record_id_has_an_outcome_and_none_has_two(ids: list[Any]) -> None:
    parsed = parse_item(BodyItem(a_change("DELETE", ids=ids), "{}"), "delivery-1", 0)
    names = [event.stream.entity_id for event in parsed.events]
    names += [notice.record_id for notice in parsed.notices] + [failure.record for failure in parsed.failures]
    assert 1 <= len(names) == len(set(names)) <= len(ids)
