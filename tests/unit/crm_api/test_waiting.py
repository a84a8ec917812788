from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from crm_api.waiting import Waiters
from crm_events.selectors import DeliveryStatus


def _status(status: str) -> DeliveryStatus:
    return DeliveryStatus("d1", status, 1, datetime(2026, 10, 6, tzinfo=UTC), [])


class _Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sleeps: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds


def _reader(*statuses: str) -> Callable[[], DeliveryStatus | None]:
    """Return each status once, the last one for ever."""
    following: Iterator[str] = iter(statuses[:-1])
    return lambda: _status(next(following, statuses[-1]))


def _waiters(time: _Time, slots: int = 1) -> Waiters:
    return Waiters(slots, lambda: time.now, time.sleep)


def test_waits_until_it_is_projected() -> None:
    time = _Time()
    status = _waiters(time).wait(_reader("accepted", "recorded", "recorded", "projected"), 30)
    assert (status, len(time.sleeps)) == (_status("projected"), 3)


def test_gives_up_after_the_time_asked_for() -> None:
    time = _Time()
    assert _waiters(time).wait(_reader("recorded"), 2) == _status("recorded")
    assert round(time.now, 6) == 2
    assert all(0 < pause <= 0.1 for pause in time.sleeps)


def test_does_not_wait_for_what_is_there() -> None:
    time = _Time()
    assert _waiters(time).wait(_reader("projected"), 30) == _status("projected")
    assert not time.sleeps


def test_does_not_wait_unasked() -> None:
    time = _Time()
    assert _waiters(time).wait(_reader("accepted"), 0) == _status("accepted")
    assert not time.sleeps


def test_does_not_wait_for_what_is_unknown() -> None:
    time = _Time()
    assert _waiters(time).wait(lambda: None, 30) is None
    assert not time.sleeps


def test_one_waiter_too_many_is_answered_at_once() -> None:
    time = _Time()
    waiters = _waiters(time, slots=1)
    inner: list[DeliveryStatus | None] = []

    def read() -> DeliveryStatus | None:
        if time.now and not inner:
            inner.append(waiters.wait(_reader("accepted", "projected"), 30))
        return _status("projected" if inner else "accepted")

    assert waiters.wait(read, 30) == _status("projected")
    assert inner == [_status("accepted")]


def test_a_slot_is_free_again_after_a_wait() -> None:
    time = _Time()
    waiters = _waiters(time, slots=1)
    for _ in range(3):
        assert waiters.wait(_reader("accepted", "projected"), 30) == _status("projected")
