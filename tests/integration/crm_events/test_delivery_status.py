import json

import pytest

from crm_events.domain.heads import Watermark
from crm_events.selectors import DeliveryStatus, delivery_status
from tests.builders import TIMESTAMP, a_change, a_stream
from tests.engines.defaults import DefaultEventStore
from tests.integration.crm_events.delivering import NOW, deliver, process

pytestmark = pytest.mark.django_db


def status(delivery: str) -> DeliveryStatus:
    found = delivery_status(delivery)
    assert found is not None
    return found


def project(version: int, published: int | None = None, record: int = 1) -> None:
    """Say what the projector says when it is done."""
    mark = Watermark(a_stream(record), version, version if published is None else published)
    DefaultEventStore().move_watermarks([mark])


@pytest.fixture
def delivery() -> str:
    """Return a delivery of two events of two records, in the log."""
    found = deliver(a_change(), a_change(stream=a_stream(2)))
    process()
    return found


def test_knows_no_other_delivery() -> None:
    assert delivery_status("0" * 32) is None


def test_is_accepted_before_the_log_has_it() -> None:
    found = status(deliver(a_change(), a_change()))
    assert (found.status, found.received, found.received_at, found.outcomes) == ("accepted", 2, NOW, [])


def test_is_recorded_while_a_record_is_not_projected(delivery: str) -> None:
    project(1)
    assert status(delivery).status == "recorded"
    assert [outcome.outcome for outcome in status(delivery).outcomes] == ["recorded", "recorded"]


def test_is_recorded_while_a_record_is_not_broadcast(delivery: str) -> None:
    project(1)
    project(1, published=0, record=2)
    assert status(delivery).status == "recorded"


def test_is_projected_when_all_records_are(delivery: str) -> None:
    project(1)
    project(1, record=2)
    assert status(delivery).status == "projected"


def test_is_projected_although_newer_events_wait(delivery: str) -> None:
    deliver(a_change(timestamp=TIMESTAMP + 1000))
    process()
    project(1)
    project(1, record=2)
    assert status(delivery).status == "projected"


def test_says_of_a_parked_record_that_it_is(delivery: str) -> None:
    project(1)
    DefaultEventStore().set_blocked([a_stream(2)], blocked=True)
    found = status(delivery)
    assert found.status == "projected"
    assert [("parked" in o.detail, o.outcome) for o in found.outcomes] == [(False, "recorded"), (True, "recorded")]


def test_does_not_call_parked_what_was_projected_before(delivery: str) -> None:
    for record in (1, 2):
        project(1, record=record)
    DefaultEventStore().set_blocked([a_stream(2)], blocked=True)
    assert [outcome.detail for outcome in status(delivery).outcomes] == ["", ""]


def test_waits_for_the_first_arrival_of_a_duplicate() -> None:
    deliver(a_change())
    again = deliver(a_change())
    process()
    assert status(again).status == "recorded"
    project(1)
    assert status(again).status == "projected"


def test_is_projected_at_once_when_nothing_came_of_it() -> None:
    delivery = deliver(json.loads('{"hello": "world"}'))
    process()
    assert status(delivery).status == "projected"
