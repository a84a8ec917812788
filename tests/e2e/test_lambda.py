"""The forwarder as a Lambda function between a bus and a service that really run."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Protocol

import pytest

from tests.builders import a_change, a_stream
from tests.e2e.relaying import Relay
from tests.e2e.serving import RunningService
from tests.waiting import wait_until

NUMBER = 1791271205617203714  # a float does not hold it


@pytest.fixture(scope="module")
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    request.getfixturevalue("aws_endpoint")  # without it, nothing need start
    with RunningService(tmp_path_factory.mktemp("lambda") / "data") as running:
        yield running


class OpenRelay(Protocol):
    def __call__(self, receives: int = 1000, key: str = "") -> Relay: ...


@pytest.fixture
def relay(aws_endpoint: str, service: RunningService) -> Iterator[OpenRelay]:
    with ExitStack() as stack:

        def open_relay(receives: int = 1000, key: str = "") -> Relay:
            return stack.enter_context(Relay(aws_endpoint, service.url, key or service.key("ingest"), receives))

        yield open_relay


def name_of(service: RunningService, number: int) -> str | None:
    """Return the name under which the API shows an account."""
    answer = service.request("GET", f"/api/v1/clients/{a_stream(number).entity_id}/")
    return str(answer.json()["name"]) if answer.ok else None


def test_events_on_the_bus_become_readable(relay: OpenRelay, service: RunningService) -> None:
    running = relay()
    running.put(
        a_change("CREATE", {"Name": "Bakery"}, stream=a_stream(1), number=NUMBER),
        a_change("CREATE", {"Name": "Ferry"}, stream=a_stream(2), number=NUMBER + 1),
    )

    wait_until(lambda: (name_of(service, 1), name_of(service, 2)) == ("Bakery", "Ferry"))
    (event,) = service.request("GET", f"/api/v1/clients/{a_stream(1).entity_id}/events/").json()["results"]
    assert event["raw"]["detail"]["payload"]["ChangeEventHeader"]["commitNumber"] == NUMBER
    wait_until(lambda: running.waiting() == 0)


def test_events_wait_for_a_service_that_is_down(relay: OpenRelay, service: RunningService) -> None:
    running = relay()
    running.put(a_change("CREATE", {"Name": "Before"}, stream=a_stream(3)))
    wait_until(lambda: name_of(service, 3) == "Before")

    service.stop()
    running.put(a_change("CREATE", {"Name": "Meanwhile"}, stream=a_stream(4)))
    wait_until(running.has_failed)
    assert (running.waiting(), running.given_up()) == (1, [])
    service.start()

    wait_until(lambda: name_of(service, 4) == "Meanwhile")
    wait_until(lambda: running.waiting() == 0)


def test_what_can_never_pass_ends_in_the_dead_letter_queue_alone(relay: OpenRelay, service: RunningService) -> None:
    running = relay(receives=2)
    half = a_change("CREATE", {"Name": "\ud83d"}, stream=a_stream(5))  # half a character: no service can store it
    with running.together():
        running.put(half, a_change("CREATE", {"Name": "Good"}, stream=a_stream(6)))
        running.send("no json")

    wait_until(lambda: len(running.given_up()) == 2)
    wait_until(lambda: name_of(service, 6) == "Good")
    json_texts = [text for text in running.given_up() if text != "no json"]
    assert [json.loads(text)["detail"] for text in json_texts] == [half["detail"]]
    assert running.waiting() == 0


def test_a_key_put_into_the_secret_is_used_at_once(relay: OpenRelay, service: RunningService) -> None:
    running = relay(key="cms_revoked")
    running.put(a_change("CREATE", {"Name": "Keyed"}, stream=a_stream(7)))
    wait_until(running.has_failed)

    running.change_key(service.key("ingest"))

    wait_until(lambda: name_of(service, 7) == "Keyed")
    wait_until(lambda: running.waiting() == 0)


def test_a_rule_may_invoke_the_function_itself(relay: OpenRelay, service: RunningService) -> None:
    running = relay()
    running.invoke_by_rule("Direct")
    running.put({**a_change("CREATE", {"Name": "Direct"}, stream=a_stream(8), number=NUMBER), "detail-type": "Direct"})

    wait_until(lambda: name_of(service, 8) == "Direct")
    (event,) = service.request("GET", f"/api/v1/clients/{a_stream(8).entity_id}/events/").json()["results"]
    assert event["raw"]["detail"]["payload"]["ChangeEventHeader"]["commitNumber"] == NUMBER
