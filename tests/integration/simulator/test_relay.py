import json
from collections.abc import Iterator, Sequence

import pytest

from crm_events.forwarder import FixedKey, Outcome, Settings
from crm_events.simulator.life.course import Life
from crm_events.simulator.org import SimulatedOrg
from crm_events.simulator.relay import Relay, forwarding_to
from tests.integration.crm_events.receiving import Receiver, receiving
from tests.unit.crm_events.simulator.reading import Clock
from tests.waiting import wait_until


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def relay(org: SimulatedOrg, receiver: Receiver) -> Relay:
    return Relay(org.feed, org.switches, forwarding_to(Settings(receiver.url, FixedKey("a-key"))))


def waiting(org: SimulatedOrg) -> list[str]:
    return [one.event for one in org.feed.due(10**6, 10**9)]


def test_sends_what_is_due_in_order_a_hundred_at_a_time(org: SimulatedOrg, receiver: Receiver, relay: Relay) -> None:
    Life(org).advance(150)
    expected = [json.loads(event) for event in waiting(org)]
    while relay.send_due():
        pass
    assert receiver.events == expected
    assert {len(body) for body in receiver.bodies[:-1]} == {100}
    assert len(receiver.connections) == 1
    assert receiver.keys == {"Bearer a-key"}
    assert (org.feed.waiting(), org.feed.sent) == (0, len(expected))


@pytest.mark.parametrize("status", [429, 500, 503])
def test_sends_again_what_was_not_taken(org: SimulatedOrg, receiver: Receiver, relay: Relay, status: int) -> None:
    Life(org).advance(1)
    expected = waiting(org)
    receiver.answers = [(status, {})] * 20
    relay.send_due()
    assert relay.trouble
    assert waiting(org) == expected
    receiver.answers = []
    relay.send_due()
    assert (relay.trouble, org.feed.waiting()) == ("", 0)


def test_waits_for_a_service_that_is_not_there(org: SimulatedOrg) -> None:
    relay = Relay(org.feed, org.switches, forwarding_to(Settings("http://127.0.0.1:9", FixedKey("a-key"))))
    Life(org).advance(1)
    assert relay.send_due() == 0
    assert relay.trouble.startswith("The service cannot be reached")
    assert org.feed.waiting() > 0


def test_gives_up_what_the_service_refuses(org: SimulatedOrg, receiver: Receiver, relay: Relay) -> None:
    Life(org).advance(1)
    count = len(waiting(org))
    receiver.answers.extend([(400, {})] * 2 * count)
    relay.send_due()
    assert org.feed.waiting() == 0
    assert [one["name"] for one in org.mishaps.newest(count)] == ["refused"] * count


def test_goes_on_in_a_thread_until_it_is_stopped(org: SimulatedOrg, receiver: Receiver, relay: Relay) -> None:
    receiver.answers = [(503, {})]
    relay.start()
    Life(org).advance(5)
    wait_until(lambda: org.feed.waiting() == 0)
    relay.stop()
    sent = len(receiver.events)
    Life(org).advance(5)
    assert len(receiver.events) == sent >= 5


def test_loses_what_waited_too_long(org: SimulatedOrg, clock: Clock) -> None:
    taken: list[str] = []

    def take(events: Sequence[str]) -> list[Outcome]:
        taken.extend(events)
        return [Outcome("delivery")] * len(events)

    relay = Relay(org.feed, org.switches, take)
    Life(org).advance(1)
    clock.move(73 * 3600)
    assert relay.send_due() == 0
    assert (taken, org.feed.waiting()) == ([], 0)
