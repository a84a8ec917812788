from decimal import Decimal

import pytest

from crm_events.record import EMPTY, RecordState, dump_state, load_state


def test_reads_back_what_was_dumped_with_every_digit() -> None:
    state = RecordState(
        fields={"Amount": Decimal("12.50"), "Big": 1791271205417203714, "Name": "Ärla", "Tags": ["a"], "Fax": None},
        is_deleted=True,
        complete=True,
        stale=True,
        unknown=frozenset({"Phone", "Fax"}),
        confirmed_gone=True,
        system_modified_ms=5,
        event_count=7,
    )
    loaded = load_state(dump_state(state))
    assert loaded == state
    assert str(loaded.fields["Amount"]) == "12.50"


def test_equal_states_give_equal_bytes() -> None:
    first = RecordState(fields={"A": 1, "B": 2}, unknown=frozenset({"X", "Y"}))
    assert dump_state(first) == dump_state(RecordState(fields={"B": 2, "A": 1}, unknown=frozenset({"Y", "X"})))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"unknown": [], "other": 1}'])
def test_refuses_bytes_that_are_no_state(body: bytes) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        load_state(body)


def test_nothing_known_is_dirty() -> None:
    assert EMPTY.is_dirty


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (RecordState(complete=True), False),
        (RecordState(complete=True, stale=True), True),
        (RecordState(complete=True, unknown=frozenset({"Phone"})), True),
        (RecordState(confirmed_gone=True), False),
        (RecordState(confirmed_gone=True, stale=True), True),
    ],
)
def test_is_dirty_while_something_is_to_be_read_again(state: RecordState, expected: bool) -> None:
    assert state.is_dirty is expected
