import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_events.domain.errors import InvalidIdError
from crm_events.domain.identifiers import (
    OVERFLOW_ID,
    StreamKey,
    id_checksum,
    is_entity_name,
    is_wildcard_id,
    normalize_id,
)

ID15 = "001Qy00000KdT1a"
ID18 = "001Qy00000KdT1aIAF"
ids_of_15 = st.text("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=15, max_size=15)


def test_completes_an_id_of_15_characters() -> None:
    assert normalize_id(ID15) == ID18


def test_keeps_an_id_of_18_characters() -> None:
    assert normalize_id(ID18) == ID18


@pytest.mark.parametrize("garbled", [ID18.lower(), ID18.upper(), ID15.lower() + "IAF", ID15 + "iaf"])
def test_restores_the_case_of_an_id_that_lost_it(garbled: str) -> None:
    assert normalize_id(garbled) == ID18


def test_keeps_a_mixed_case_that_differs_from_the_one_its_checksum_tells() -> None:
    assert normalize_id("00TQy00000Pp1QqIAJ") == "00TQy00000Pp1QqIAJ"


@pytest.mark.parametrize(
    "bad", ["", "001", "not an id at all!!", ID18 + "A", ID15[:-1] + "-", ID15 + "XXX", "001*", ID15 + "\n", "１" * 15]
)
def test_refuses_what_is_no_record_id(bad: str) -> None:
    with pytest.raises(InvalidIdError) as caught:
        normalize_id(bad)
    assert caught.value.value == bad
    assert caught.value.reason in str(caught.value)


@given(ids_of_15)
def test_normalising_twice_changes_nothing(id15: str) -> None:
    assert normalize_id(normalize_id(id15)) == normalize_id(id15) == id15 + id_checksum(id15)


@given(ids_of_15)
def test_the_checksum_brings_back_any_lost_case(id15: str) -> None:
    assert normalize_id((id15 + id_checksum(id15)).lower()) == id15 + id_checksum(id15)


def test_the_overflow_id_is_well_formed() -> None:
    assert normalize_id("000000000000000") == OVERFLOW_ID


@pytest.mark.parametrize(("value", "expected"), [("001*", True), ("a0B*", True), ("001", False), ("0011*", False)])
def test_knows_a_wildcard_id(value: str, expected: bool) -> None:
    assert is_wildcard_id(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("Account", True), ("My_Object__c", True), ("", False), ("1st", False), ("A#B", False), ("A" * 101, False)],
)
def test_knows_the_name_of_an_object(value: str, expected: bool) -> None:
    assert is_entity_name(value) is expected


def test_a_stream_key_reads_back_its_own_text() -> None:
    key = StreamKey("Account", ID18)
    assert StreamKey.parse(str(key)) == key


def test_a_stream_key_completes_a_short_id() -> None:
    assert StreamKey.parse(f"Account#{ID15}") == StreamKey("Account", ID18)


@pytest.mark.parametrize("text", ["", ID18, f"#{ID18}", "Account#", "Account#nonsense"])
def test_a_stream_key_refuses_other_texts(text: str) -> None:
    with pytest.raises(InvalidIdError):
        StreamKey.parse(text)
