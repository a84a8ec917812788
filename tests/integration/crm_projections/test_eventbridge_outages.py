"""What becomes of messages when EventBridge is away, forgets to answer, or takes a part."""

import dataclasses
from collections.abc import Iterator

import pytest

from crm_projections.adapters.eventbridge import EventBridgeBroadcaster
from crm_projections.ports.broadcaster import BroadcasterUnavailableError
from crm_projections.services.projector import Projected, Projector
from tests.builders import a_new_event, a_stream
from tests.buses import BusWithQueue
from tests.gates import Gate
from tests.unit.crm_projections.adapters.eventbridge.answers import answering, failing_for, taken
from tests.world import NOW, World

STREAMS = [a_stream(number) for number in range(30)]
IDS = {f"{stream}/1" for stream in STREAMS}


@pytest.fixture
def bus(aws_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[BusWithQueue]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_endpoint)
    with BusWithQueue({"detail-type": ["client.changed"]}) as bus:
        yield bus


@pytest.fixture
def gate(aws_endpoint: str) -> Iterator[Gate]:
    with Gate(aws_endpoint) as gate:
        yield gate


@pytest.fixture
def broadcaster(bus: BusWithQueue, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> EventBridgeBroadcaster:
    monkeypatch.setenv("AWS_ENDPOINT_URL", gate.url)
    return EventBridgeBroadcaster(bus.name, "client-management", 256 * 1024, "https://crm.example.com")


@pytest.fixture
def world() -> World:
    world = World()
    world.record(*(a_new_event("CREATE", {"Name": str(stream)}, stream=stream) for stream in STREAMS))
    return world


def project(world: World, broadcaster: EventBridgeBroadcaster) -> Projected:
    ports = dataclasses.replace(world.ports, broadcaster=broadcaster)
    return Projector(ports, 1000).project(STREAMS, NOW)


def arrived(bus: BusWithQueue) -> list[str]:
    return [event["detail"]["message_id"] for event in bus.drain()]


def test_messages_of_an_outage_go_out_when_it_is_over(
    world: World, broadcaster: EventBridgeBroadcaster, gate: Gate, bus: BusWithQueue
) -> None:
    broadcaster.ping()
    gate.shut()
    assert project(world, broadcaster) == Projected(pending=30)
    assert world.document(STREAMS[0]) is not None  # readers need not wait for it
    with pytest.raises(BroadcasterUnavailableError, match="Next:"):
        broadcaster.ping()

    gate.open()
    assert project(world, broadcaster) == Projected(done=30)
    assert set(arrived(bus)) == IDS


def test_a_lost_answer_loses_no_message(
    world: World, broadcaster: EventBridgeBroadcaster, gate: Gate, bus: BusWithQueue
) -> None:
    broadcaster.ping()
    gate.cuts = 2

    assert project(world, broadcaster) == Projected(done=30)

    messages = arrived(bus)
    assert set(messages) == IDS
    assert len(messages) > len(IDS)  # some came twice, and their ids say so


def test_what_was_not_taken_goes_out_with_the_next_sweep(world: World) -> None:
    broadcaster = EventBridgeBroadcaster("crm", "client-management", 256 * 1024, "https://crm.example.com")
    refused = sorted(IDS)[:3]
    answers = answering(broadcaster, failing_for(refused, "AccessDeniedException"))
    assert project(world, broadcaster) == Projected(done=27, pending=3)

    answers.then = [taken]
    answers.requests.clear()
    assert project(world, broadcaster) == Projected(done=3)
    assert answers.sent() == [refused]
