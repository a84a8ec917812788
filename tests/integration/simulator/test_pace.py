import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from crm_events.simulator.life.course import Life
from crm_events.simulator.org import SimulatedOrg
from crm_events.simulator.pace import Pace
from tests.waiting import wait_until


@pytest.fixture
def pace(org: SimulatedOrg) -> Iterator[Pace]:
    pace = Pace(Life(org))
    pace.start()
    yield pace
    pace.stop()


def count(org: SimulatedOrg) -> int:
    return org.commits_in(timedelta(minutes=5))


def test_lets_transactions_happen_at_its_rate(org: SimulatedOrg, pace: Pace) -> None:
    began = time.monotonic()
    pace.rate = 1_200
    wait_until(lambda: count(org) >= 20)
    assert time.monotonic() - began > 0.3


def test_stands_still_at_a_rate_of_none(org: SimulatedOrg, pace: Pace, monkeypatch: pytest.MonkeyPatch) -> None:
    pace.rate = 6_000
    wait_until(lambda: count(org))
    pace.rate = 0
    wait_until(lambda: not pace._changed.is_set())
    before = count(org)
    rounds: list[datetime] = []
    monkeypatch.setattr(pace.life, "commit_due", rounds.append)
    pace._thread.join(timeout=0.3)
    assert count(org) == before
    assert len(rounds) <= 1  # waiting costs nothing


def test_takes_up_another_rate_at_once(org: SimulatedOrg, pace: Pace) -> None:
    pace.rate = 0.001
    pace.rate = 6_000
    wait_until(lambda: count(org), timeout=5)


def test_commits_slow_transactions_though_nothing_else_happens(org: SimulatedOrg, pace: Pace) -> None:
    org.switches.set("in_flight", times=1, value=0)
    pace.life.step()
    wait_until(lambda: not org.in_flight)
