from datetime import UTC, datetime

from crm_events.adapters.dynamodb.planning import Known, plan_append
from crm_events.domain.events import NewEvent
from crm_events.domain.heads import Head
from crm_events.ports.event_store import Appended, AppendOutcome, StreamAppend
from tests.builders import TIMESTAMP, a_new_event, a_stream

NOW = datetime(2026, 10, 6, tzinfo=UTC)
RECORDED, LATE, DUPLICATE = AppendOutcome.RECORDED, AppendOutcome.LATE, AppendOutcome.DUPLICATE


def an_event(second: int, delivery: tuple[str, int] = ("d1", 0)) -> NewEvent:
    return a_new_event(timestamp=TIMESTAMP + second * 1000, delivery=delivery)


def plan(
    *events: NewEvent, head: Head | None = None, known: dict[str, Known] | None = None, expected: int | None = None
) -> tuple[list[Appended], int | None]:
    append = StreamAppend(a_stream(), events, expected)
    made = plan_append(append, [event.position for event in events], head, known or {}, NOW)
    return list(made.result.appended), made.result.conflict


def test_counts_on_from_the_head() -> None:
    head = Head(a_stream(), 4, an_event(1).position)
    assert plan(an_event(2), an_event(3), head=head)[0] == [Appended(RECORDED, 5), Appended(RECORDED, 6)]


def test_calls_late_what_is_older_than_the_newest_of_the_head_or_of_the_append() -> None:
    head = Head(a_stream(), 4, an_event(2).position)
    assert plan(an_event(1), an_event(9), an_event(3), head=head)[0] == [
        Appended(LATE, 5),
        Appended(RECORDED, 6),
        Appended(LATE, 7),
    ]


def test_gives_a_repeat_no_version() -> None:
    head, known = Head(a_stream(), 4, an_event(1).position), {an_event(1).position: Known(2, ("d0", 5), late=False)}
    assert plan(an_event(1), an_event(2), head=head, known=known)[0] == [Appended(DUPLICATE, 2), Appended(RECORDED, 5)]


def test_calls_the_same_item_what_it_was_the_first_time() -> None:
    head, known = Head(a_stream(), 4, an_event(1).position), {an_event(1).position: Known(2, ("d1", 0), late=True)}
    assert plan(an_event(1), head=head, known=known)[0] == [Appended(LATE, 2)]


def test_finds_repeats_within_the_append() -> None:
    assert plan(an_event(1), an_event(1, ("d1", 1)), an_event(1))[0] == [
        Appended(RECORDED, 1),
        Appended(DUPLICATE, 1),
        Appended(RECORDED, 1),
    ]


def test_reports_the_version_there_is_where_another_was_expected() -> None:
    assert plan(an_event(2), head=Head(a_stream(), 4, ""), expected=3) == ([], 4)
    assert plan(an_event(2), expected=1) == ([], 0)
