import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_events.domain.order import MAX_COMMIT_NUMBER, MAX_COMMIT_TIMESTAMP, MAX_SEQUENCE_NUMBER, OrderKey

order_keys = st.builds(
    OrderKey,
    st.integers(0, MAX_COMMIT_TIMESTAMP),
    st.integers(0, MAX_COMMIT_NUMBER),
    st.integers(0, MAX_SEQUENCE_NUMBER),
)


@given(order_keys)
def test_reads_back_its_own_text(key: OrderKey) -> None:
    assert OrderKey.parse(str(key)) == key


@given(order_keys, order_keys)
def test_texts_have_the_order_of_the_keys(first: OrderKey, second: OrderKey) -> None:
    assert (first < second) == (str(first) < str(second))


def test_keeps_commit_numbers_apart_that_a_float_would_join() -> None:
    assert OrderKey(1, 1791271205417203714, 1) < OrderKey(1, 1791271205417203715, 1)


def test_a_reset_of_commit_numbers_does_not_turn_the_order_round() -> None:
    assert OrderKey(1_000, 1791271205417203714, 1) < OrderKey(2_000, 72784468115, 1)


@pytest.mark.parametrize("text", ["", "1-2", "a-b-c", "1-2-3-4"])
def test_refuses_other_texts(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        OrderKey.parse(text)


def test_a_row_stands_before_every_event_of_the_second_it_was_read_in() -> None:
    assert OrderKey.of_snapshot(1_791_271_200_950, None) < OrderKey(1_791_271_200_000, 1, 0)


def test_a_row_stands_behind_the_events_of_the_second_before() -> None:
    assert OrderKey.of_snapshot(1_791_271_200_000, None) > OrderKey(1_791_271_199_000, MAX_COMMIT_NUMBER, 9)


def test_a_row_that_changed_while_it_was_read_stands_at_its_own_time() -> None:
    assert OrderKey.of_snapshot(1_000, 5_999) == OrderKey(5_000, 0, 1_000)


def test_the_later_of_two_readings_in_one_second_stands_behind() -> None:
    assert OrderKey.of_snapshot(1_100, None) < OrderKey.of_snapshot(1_200, None)
