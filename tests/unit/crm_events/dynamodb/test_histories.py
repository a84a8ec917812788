import pytest

from crm_events.adapters.dynamodb.histories import arrival_place, bounds_of, parse_arrival, parse_fold
from crm_events.ports.event_store import HistoryQuery, InvalidCursorError
from tests.builders import a_new_event, a_stream

POSITION = a_new_event().position


def test_begins_before_and_ends_behind_every_position() -> None:
    bounds = bounds_of(HistoryQuery(a_stream()), None)
    assert bounds.low < POSITION < bounds.high


@pytest.mark.parametrize("descending", [False, True])
def test_goes_on_where_the_page_before_ended(descending: bool) -> None:
    bounds = bounds_of(HistoryQuery(a_stream(), descending=descending), POSITION)
    assert (bounds.high if descending else bounds.low) == bounds.passed == POSITION


@pytest.mark.parametrize("place", ["", POSITION])
def test_reads_its_own_cursors(place: str) -> None:
    assert parse_arrival(arrival_place(12, place)) == (12, place)
    assert parse_fold(POSITION) == POSITION


@pytest.mark.parametrize("cursor", ["", "x:", "-1:", "1:x", "²:", f"{'9' * 19}:", f"12{POSITION}"])
def test_refuses_what_is_none_of_its_cursors(cursor: str) -> None:
    with pytest.raises(InvalidCursorError):
        parse_arrival(cursor)
