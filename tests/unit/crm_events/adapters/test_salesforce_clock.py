from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_events.adapters.salesforce.clock import SalesforceClock
from crm_events.ports.crm_source import SourceUnavailableError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
START_MS = 1_791_271_205_417


class World:
    """A server whose clock is ahead of ours by any amount, and answers that take their time; in milliseconds."""

    def __init__(self, lead_ms: int = START_MS) -> None:
        self.now_ms = 1_000
        self.lead_ms = lead_ms
        self.clock = SalesforceClock(lambda: self.now_ms / 1000)

    def server_ms(self) -> int:
        return self.now_ms + self.lead_ms

    def call(self, there_ms: int, back_ms: int) -> tuple[datetime, datetime]:
        """Make a call; return what the clock says of its beginning, and the server's true time then."""
        mark, true = self.clock.mark(), EPOCH + timedelta(milliseconds=self.server_ms())
        self.now_ms += there_ms
        stamped = EPOCH + timedelta(seconds=self.server_ms() // 1000)
        self.now_ms += back_ms
        self.clock.observe(format_datetime(stamped, usegmt=True))
        return self.clock.not_later_than(mark), true


TIMES = st.integers(0, 30_000)


@given(
    lead_ms=st.integers(START_MS - 100_000_000, START_MS + 100_000_000),
    calls=st.lists(st.tuples(TIMES, TIMES, st.integers(0, 700_000)), min_size=1, max_size=15),
)
def test_never_says_that_a_read_began_later_than_it_did(lead_ms: int, calls: list[tuple[int, int, int]]) -> None:
    world = World(lead_ms)
    for there, back, pause in calls:
        said, true = world.call(there, back)
        assert said <= true
        world.now_ms += pause


@given(there=TIMES, back=TIMES)
def test_knows_the_first_call_to_a_second_and_its_own_duration(there: int, back: int) -> None:
    said, true = World().call(there, back)
    assert true - said <= timedelta(milliseconds=1_001 + there + back)


@given(there=TIMES, back=TIMES)
def test_is_not_confused_by_a_slow_answer_after_a_quick_one(there: int, back: int) -> None:
    world = World()
    world.call(0, 0)
    said, true = world.call(there, back)
    assert true - said <= timedelta(milliseconds=1_001)


def test_comes_closer_with_every_call() -> None:
    world = World()
    for _ in range(50):
        said, true = world.call(0, 20)
        world.now_ms += 37
    assert true - said < timedelta(milliseconds=150)


@pytest.mark.parametrize("pauses_ms", [[300_000] * 3, [1_200_000]])
def test_follows_a_clock_that_was_put_back(pauses_ms: list[int]) -> None:
    world = World()
    world.call(0, 0)
    world.lead_ms -= 60_000
    for pause in pauses_ms:
        world.now_ms += pause
        said, true = world.call(0, 0)
    assert said <= true


def test_refuses_to_guess_without_a_date() -> None:
    clock = SalesforceClock(lambda: 1.0)
    clock.observe(None)
    clock.observe("yesterday")
    with pytest.raises(SourceUnavailableError, match="Date header"):
        clock.not_later_than(clock.mark())
