import json
import socket
from collections.abc import Callable
from threading import Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_events.forwarder import FixedKey, Key, KeyUnavailableError, Outcome, Settings, forward
from crm_events.forwarder.connection import Connection, connection_to
from tests.e2e.serving import free_port
from tests.integration.crm_events.forwarder.posted import Gateway, Post, Reply, take

EVENTS = [f'{{"n":{number}}}' for number in range(8)]
TOO_LARGE = (413, b'{"title": "The body is too large"}')


class ChangingKey(Key):
    """A key that is another one each time it is read anew."""

    def __init__(self, *values: str) -> None:
        self.values = list(values)
        self.reads = 0

    def read(self, timeout: float = 5.0, *, again: bool = False) -> str:
        if again:
            self.reads += 1
            self.values.append(self.values.pop(0))
        return self.values[0]


def to(gateway: Gateway, key: Key | None = None, timeout: float = 10) -> Settings:
    return Settings(gateway.url, key or FixedKey("k1"), timeout)


def accepted(outcomes: list[Outcome]) -> list[bool]:
    return [outcome.is_accepted for outcome in outcomes]


def refusing(status: int, is_bad: Callable[[Post], bool]) -> Callable[[Post], Reply]:
    return lambda post: (status, b"{}") if is_bad(post) else take(post)


def test_events_travel_in_one_request_with_the_key(gateway: Gateway) -> None:
    outcomes = forward(EVENTS, to(gateway))

    (post,) = gateway.posts
    assert (post.path, post.key, len(post.events)) == ("/api/v1/events/", "Bearer k1", 8)
    assert outcomes == [Outcome("d8", 202)] * 8


def test_every_byte_of_an_event_stays_as_it_is(gateway: Gateway) -> None:
    event = '{ "commitNumber" : 1791271205617203714, "amount":10.50, "big":1E400, "n":"\\u00e5å \\ud83d" }'
    forward([event], to(gateway))
    assert gateway.posts[0].body == f"[{event}]".encode()


@pytest.mark.parametrize(
    "wrap",
    [json.dumps, lambda event: json.dumps({"Type": "Notification", "Message": event, "Signature": "x"})],
    ids=["string", "notification"],
)
def test_a_wrapping_of_text_is_taken_off_and_the_event_stays_as_it_is(
    gateway: Gateway, wrap: Callable[[str], str]
) -> None:
    event = '{"amount": 10.50}'
    forward([wrap(event), wrap(wrap(event))], to(gateway))
    assert gateway.posts[0].body == b'[{"amount": 10.50},{"amount": 10.50}]'


@pytest.mark.parametrize(
    "bad", ["", "{", '{}, {"a": 1}', "[" * 100_000, "9" * 5000], ids=lambda text: text[:9] or "empty"
)
def test_what_is_no_json_is_refused_and_holds_up_nothing(gateway: Gateway, bad: str) -> None:
    outcomes = forward(["{}", bad, "{}"], to(gateway))
    assert accepted(outcomes) == [True, False, True]
    assert outcomes[1].is_refused
    assert gateway.posts[0].body == b"[{},{}]"


def test_half_a_character_is_left_to_the_service_to_refuse(gateway: Gateway) -> None:
    gateway.answer = lambda _: (400, b"")
    (outcome,) = forward(['{"n": "\ud83d"}'], to(gateway))
    assert outcome.is_refused


def test_nothing_is_posted_where_nothing_is_to_be_sent(gateway: Gateway) -> None:
    assert forward([], to(gateway)) == []
    assert not accepted(forward(["{"], to(gateway)))[0]
    assert gateway.posts == []


def test_a_batch_that_is_too_large_is_halved_until_it_fits(gateway: Gateway) -> None:
    gateway.answer = refusing(413, lambda post: len(post.events) > 2)
    assert accepted(forward(EVENTS, to(gateway))) == [True] * 8
    assert gateway.sizes() == [8, 4, 2, 2, 4, 2, 2]


@pytest.mark.parametrize(("status", "is_refused"), [(413, True), (400, True), (500, False)])
def test_an_event_that_cannot_be_taken_fails_alone(gateway: Gateway, status: int, is_refused: bool) -> None:
    gateway.answer = refusing(status, lambda post: {"n": 5} in post.events)

    outcomes = forward(EVENTS, to(gateway))

    assert [index for index, ok in enumerate(accepted(outcomes)) if not ok] == [5]
    assert (outcomes[5].status, outcomes[5].is_refused) == (status, is_refused)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bad=st.sets(st.integers(0, 20)), count=st.integers(1, 20))
def test_whatever_is_bad_the_good_ones_arrive_once_and_in_order(gateway: Gateway, bad: set[int], count: int) -> None:
    taken: list[int] = []

    def answer(post: Post) -> Reply:
        if not bad.isdisjoint(event["n"] for event in post.events):
            return 400, b"{}"
        taken.extend(event["n"] for event in post.events)
        return take(post)

    gateway.answer = answer
    outcomes = forward([f'{{"n":{number}}}' for number in range(count)], to(gateway))

    assert accepted(outcomes) == [number not in bad for number in range(count)]
    assert taken == [number for number in range(count) if number not in bad]


@pytest.mark.parametrize("status", [404, 405, 415, 429, 502, 503, 504, 520, 301])
def test_what_is_not_the_fault_of_an_event_ends_the_call_without_refusing_it(gateway: Gateway, status: int) -> None:
    gateway.answer = lambda _: (status, b"")

    outcomes = forward(EVENTS, to(gateway))

    assert {(outcome.is_accepted, outcome.is_refused) for outcome in outcomes} == {(False, False)}
    assert "Next:" in outcomes[0].reason
    assert len(gateway.posts) == 1


def test_after_the_service_went_down_the_rest_is_not_posted(gateway: Gateway) -> None:
    replies = [TOO_LARGE, (202, b'{"delivery": "d", "received": 4}'), TOO_LARGE]
    gateway.answer = lambda _: replies.pop(0) if replies else (503, b"")
    assert accepted(forward(EVENTS, to(gateway))) == [True] * 4 + [False] * 4
    assert gateway.sizes() == [8, 4, 4, 2]


@pytest.mark.parametrize(
    "body", [b"<html>Welcome</html>", b'{"received": 8}', b'{"delivery": "d", "received": 7}', b"[]", b"\xff"]
)
def test_a_success_that_is_not_the_services_word_accepts_nothing(gateway: Gateway, body: bytes) -> None:
    gateway.answer = lambda _: (200, body)
    outcomes = forward(EVENTS, to(gateway))
    assert accepted(outcomes) == [False] * 8
    assert "API_URL" in outcomes[0].reason


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_was_changed_is_read_again(gateway: Gateway, status: int) -> None:
    gateway.answer = refusing(status, lambda post: post.key != "Bearer new")
    key = ChangingKey("old", "new")

    assert accepted(forward(EVENTS, to(gateway, key))) == [True] * 8
    assert accepted(forward(EVENTS, to(gateway, key))) == [True] * 8
    assert key.reads == 1


def test_a_key_that_stays_refused_is_read_again_once(gateway: Gateway) -> None:
    gateway.answer = lambda _: (401, b"")
    key = ChangingKey("one", "two", "three")

    outcomes = forward(EVENTS, to(gateway, key))

    assert accepted(outcomes) == [False] * 8
    assert "key" in outcomes[0].reason
    assert (key.reads, len(gateway.posts)) == (1, 2)


def test_a_key_that_is_still_the_same_is_not_tried_again(gateway: Gateway) -> None:
    gateway.answer = lambda _: (401, b"")
    forward(EVENTS, to(gateway))
    assert len(gateway.posts) == 1


def test_without_a_key_nothing_is_posted_and_the_reason_is_said(gateway: Gateway) -> None:
    class NoKey(Key):
        def read(self, timeout: float = 5.0, *, again: bool = False) -> str:
            raise KeyUnavailableError("Secrets Manager is away.")

    assert forward(EVENTS[:1], to(gateway, NoKey())) == [Outcome(reason="Secrets Manager is away.")]


def test_a_service_that_is_not_there_is_said_to_be_unreachable() -> None:
    settings = Settings(f"http://127.0.0.1:{free_port()}", FixedKey("k"))
    (outcome,) = forward(["{}"], settings)
    assert not outcome.is_accepted
    assert "cannot be reached" in outcome.reason


def test_an_answer_that_does_not_come_in_time_is_not_waited_for(gateway: Gateway) -> None:
    def answer(post: Post) -> Reply:
        gateway.release.wait()
        return take(post)

    gateway.answer = answer
    (outcome,) = forward(["{}"], to(gateway, timeout=0.2))
    assert "no answer in time" in outcome.reason
    assert len(gateway.posts) == 1


def test_a_kept_connection_waits_no_longer_than_a_new_one(gateway: Gateway) -> None:
    forward(["{}"], to(gateway))
    gateway.answer = lambda post: (202, b"") if gateway.release.wait(5) else take(post)
    (outcome,) = forward(["{}"], to(gateway, timeout=0.2))
    assert "no answer in time" in outcome.reason


def test_an_answer_without_end_is_not_read_to_its_end(gateway: Gateway) -> None:
    gateway.answer = lambda _: (503, b"x" * 1_000_000)
    for _ in range(2):
        assert [outcome.status for outcome in forward(["{}"], to(gateway))] == [503]
    assert len(gateway.posts) == 2


def test_the_wait_ends_before_the_callers_time_does(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    timeouts = []

    def exchange(*arguments: object) -> None:
        timeouts.append(arguments[-1])
        raise TimeoutError

    monkeypatch.setattr(Connection, "_exchange", exchange)
    forward(["{}"], to(gateway, timeout=20), lambda: 5.0)
    assert timeouts == [4.0]


def test_without_time_left_nothing_is_posted(gateway: Gateway) -> None:
    (outcome,) = forward(["{}"], to(gateway), lambda: 1.1)
    assert "no time" in outcome.reason
    assert gateway.posts == []


def test_the_connection_is_kept_between_calls(gateway: Gateway) -> None:
    for _ in range(3):
        forward(["{}"], to(gateway))
    assert len({post.connection for post in gateway.posts}) == 1


def test_a_kept_connection_that_was_closed_is_opened_again(gateway: Gateway) -> None:
    forward(["{}"], to(gateway))
    gateway.cut = 1
    assert accepted(forward(["{}"], to(gateway))) == [True]
    assert len({post.connection for post in gateway.posts}) == 2


def test_a_new_connection_that_is_cut_is_not_tried_without_end(gateway: Gateway) -> None:
    gateway.cut = 5
    assert accepted(forward(["{}"], to(gateway))) == [False]
    assert len(gateway.posts) == 1


def test_a_connection_that_was_long_idle_is_not_used_again(gateway: Gateway) -> None:
    forward(["{}"], to(gateway))
    connection_to(gateway.url)._used_at -= 60
    forward(["{}"], to(gateway))
    assert len({post.connection for post in gateway.posts}) == 2


def test_a_refusal_that_comes_before_the_body_is_read_is_heard() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        thread = Thread(target=refuse_early, args=(server,))
        thread.start()
        (outcome,) = forward([json.dumps({"text": "x" * 20_000_000})], Settings(url, FixedKey("k")))
        thread.join()
    assert (outcome.status, outcome.is_refused) == (413, True)


def refuse_early(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.shutdown(socket.SHUT_RDWR)
