from collections.abc import Iterator

import pytest
from moto import mock_aws

from crm_events.ports.provisioning import Condition, Finding
from crm_projections.adapters.eventbridge import EventBridgeBroadcaster
from crm_projections.ports.broadcaster import BroadcasterUnavailableError


@pytest.fixture(autouse=True)
def _aws() -> Iterator[None]:
    with mock_aws():
        yield


def test_a_bus_that_does_not_exist_is_missing_and_does_not_answer(broadcaster: EventBridgeBroadcaster) -> None:
    (finding,) = broadcaster.verify()
    assert (finding.subject, finding.condition, finding.is_fault) == ("bus crm", Condition.MISSING, True)
    with pytest.raises(BroadcasterUnavailableError, match="provision"):
        broadcaster.ping()


def test_provisioning_makes_the_bus_once(broadcaster: EventBridgeBroadcaster) -> None:
    assert [finding.condition for finding in broadcaster.provision()] == [Condition.CREATED]
    assert broadcaster.provision() == broadcaster.verify() == [Finding("bus crm", Condition.READY)]
    broadcaster.ping()


def test_the_default_bus_is_always_there() -> None:
    assert [finding.condition for finding in a_broadcaster("default").verify()] == [Condition.READY]


@pytest.mark.parametrize("bus", ["aws.partner/example.com/1", "arn:aws:events:us-east-1:210987654321:event-bus/other"])
def test_a_bus_of_others_is_never_made(bus: str) -> None:
    (finding,) = a_broadcaster(bus).provision()
    assert (finding.condition, "EVENTBRIDGE_BUS" in finding.detail) == (Condition.MISSING, True)


def a_broadcaster(bus: str) -> EventBridgeBroadcaster:
    return EventBridgeBroadcaster(bus, "client-management", 256 * 1024, "https://crm.example.com")
