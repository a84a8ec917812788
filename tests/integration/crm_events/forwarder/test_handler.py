import json
from collections.abc import Callable
from typing import Any

import pytest

from crm_events.forwarder import handler as module
from crm_events.forwarder.handler import NotForwardedError, handler
from tests.builders import a_change
from tests.integration.crm_events.forwarder.posted import Gateway, Post, Reply, take


class AContext:
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


@pytest.fixture(autouse=True)
def _variables(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_URL", gateway.url)
    monkeypatch.setenv("API_KEY", "k1")
    module._settings.cache_clear()


def a_batch(*bodies: str) -> dict[str, Any]:
    records = [
        {"messageId": f"m{number}", "body": body, "eventSource": "aws:sqs"} for number, body in enumerate(bodies)
    ]
    return {"Records": records}


def failing_for(bad: str) -> Callable[[Post], Reply]:
    return lambda post: (400, b"{}") if bad in post.body.decode() else take(post)


def test_one_event_of_a_bus_is_forwarded(gateway: Gateway) -> None:
    event = a_change("UPDATE", {"Name": "Łódź"}, number=1791271205617203714)
    assert handler(event, AContext()) == {"forwarded": 1}
    assert gateway.posts[0].events == [event]


def test_a_batch_of_a_queue_is_forwarded_byte_by_byte(gateway: Gateway) -> None:
    bodies = [json.dumps(a_change(), indent=1), '{"amount": 10.50}']
    assert handler(a_batch(*bodies), AContext()) == {"batchItemFailures": []}
    assert gateway.posts[0].body.decode() == f"[{bodies[0]},{bodies[1]}]"


def test_only_the_messages_that_failed_are_reported(gateway: Gateway) -> None:
    gateway.answer = failing_for("bad")
    answer = handler(a_batch('{"n": 0}', '{"n": "bad"}', "no json", '{"n": 3}'), AContext())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m2"}]}


def test_messages_that_an_outage_left_behind_are_reported_too(gateway: Gateway) -> None:
    replies = [(413, b""), (202, b'{"delivery": "d", "received": 1}')]
    gateway.answer = lambda _: replies.pop(0) if replies else (503, b"")
    assert handler(a_batch("{}", "{}"), AContext()) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}


@pytest.mark.parametrize("status", [301, 400, 401, 404, 413, 429, 500, 503])
@pytest.mark.parametrize("event", [{"id": "e1", "detail": {}}, a_batch("{}")], ids=["event", "batch"])
def test_it_raises_where_nothing_was_accepted(gateway: Gateway, status: int, event: dict[str, Any]) -> None:
    gateway.answer = lambda _: (status, b"")
    with pytest.raises(NotForwardedError, match="Next:"):
        handler(event, AContext())


def test_the_log_has_counts_and_deliveries(capsys: pytest.CaptureFixture[str]) -> None:
    handler(a_batch("{}", "{}"), AContext())
    assert logged(capsys) == [
        {
            "level": "INFO",
            "event": "events_forwarded",
            "request_id": "request-1",
            "events": 2,
            "accepted": 2,
            "failed": 0,
            "deliveries": ["d2"],
        }
    ]


def test_the_log_says_which_message_was_refused_and_why(gateway: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    gateway.answer = failing_for("bad")
    handler(a_batch("{}", '{"name": "bad"}'), AContext())

    total, refused = logged(capsys)
    assert (total["level"], total["failed"]) == ("WARNING", 1)
    assert (refused["event"], refused["message"], refused["status"]) == ("event_refused", "m1", 400)
    assert "dead-letter queue" in refused["reason"]


def test_the_log_says_an_outage_once(gateway: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    gateway.answer = lambda _: (503, b"")
    with pytest.raises(NotForwardedError):
        handler(a_batch(*["{}"] * 10), AContext())

    _, outage = logged(capsys)
    assert (outage["event"], outage["count"], outage["status"]) == ("not_forwarded", 10, 503)


def test_nothing_of_an_event_or_of_the_key_gets_into_the_log(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.answer = lambda _: (400, b'{"detail": "Ada Lovelace is no JSON"}')
    with pytest.raises(NotForwardedError) as raised:
        handler(a_batch('{"Name": "Ada Lovelace"}', "Ada Lovelace"), AContext())
    shown = capsys.readouterr().out + str(raised.value)
    assert "Ada" not in shown
    assert "k1" not in shown


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]
