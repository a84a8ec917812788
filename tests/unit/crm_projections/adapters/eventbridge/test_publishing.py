import os
import socket
from threading import Thread

import pytest
from moto import mock_aws

from crm_projections.adapters.eventbridge import EventBridgeBroadcaster
from crm_projections.adapters.eventbridge.sending import ATTEMPTS
from crm_projections.ports.broadcaster import BroadcasterUnavailableError, Message
from tests.contracts.broadcaster import a_message
from tests.unit.crm_projections.adapters.eventbridge.answers import (
    answering,
    failing,
    failing_for,
    larger_than,
    refused,
    taken,
)

MESSAGES = [a_message(version) for version in range(1, 13)]
IDS = [message.id for message in MESSAGES]


def errors(broadcaster: EventBridgeBroadcaster, messages: list[Message] = MESSAGES) -> list[str]:
    return [result.error for result in broadcaster.publish(messages)]


def test_ten_travel_in_a_request(broadcaster: EventBridgeBroadcaster) -> None:
    answers = answering(broadcaster, taken)
    assert errors(broadcaster) == [""] * 12
    assert sorted(answers.sent()) == [IDS[:10], IDS[10:]]


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalFailure"])
def test_only_the_entries_that_failed_are_sent_again(broadcaster: EventBridgeBroadcaster, code: str) -> None:
    answers = answering(broadcaster, failing({1: code, 4: code}), failing({1: code}), taken)

    assert errors(broadcaster, MESSAGES[:6]) == [""] * 6
    assert answers.sent() == [IDS[:6], [IDS[1], IDS[4]], [IDS[4]]]


def test_an_entry_that_stays_throttled_is_given_up_and_says_what_to_do(
    broadcaster: EventBridgeBroadcaster, pauses: list[float]
) -> None:
    answers = answering(broadcaster, failing_for([IDS[1]], "ThrottlingException"))

    first, second, third = errors(broadcaster, MESSAGES[:3])

    assert (first, third) == ("", "")
    assert "quota" in second
    assert len(answers.sent()) == ATTEMPTS
    assert len(pauses) == ATTEMPTS - 1
    assert max(pauses) <= 0.8


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("AccessDeniedException", "events:PutEvents"),
        ("NotAuthorizedForSourceException", "EVENTBRIDGE_SOURCE"),
        ("MalformedDetail", "mapping"),
        ("SomethingNew", "SomethingNew: so it is"),
    ],
)
def test_an_entry_that_is_refused_is_sent_once_and_says_why(
    broadcaster: EventBridgeBroadcaster, code: str, word: str
) -> None:
    answers = answering(broadcaster, failing({0: code}))

    first, second = errors(broadcaster, MESSAGES[:2])

    assert word in first
    assert second == ""
    assert len(answers.sent()) == 1


def test_an_entry_without_an_answer_is_sent_again(broadcaster: EventBridgeBroadcaster) -> None:
    answers = answering(broadcaster, lambda _: (200, {"FailedEntryCount": 0, "Entries": [{"EventId": "e"}]}))

    assert errors(broadcaster, MESSAGES[:3]) == [""] * 3
    assert answers.sent() == [IDS[:3], IDS[1:3], IDS[2:3]]


def test_a_limit_lower_than_ours_costs_requests_but_no_message(broadcaster: EventBridgeBroadcaster) -> None:
    answering(broadcaster, larger_than(120))
    assert errors(broadcaster) == [""] * 12


def test_a_message_over_a_limit_lower_than_ours_goes_as_a_link(broadcaster: EventBridgeBroadcaster) -> None:
    answers = answering(broadcaster, larger_than(300))

    assert errors(broadcaster, [MESSAGES[0], a_message(2, data={"values": {"name": "x" * 300}})]) == ["", ""]
    assert "link" in answers.requests[-1][0]["Detail"]


def test_a_refused_request_names_its_message_and_ends(broadcaster: EventBridgeBroadcaster) -> None:
    answers = answering(broadcaster, refused("ValidationException"))

    (error,) = errors(broadcaster, MESSAGES[:1])

    assert "so it is" in error
    assert len(answers.sent()) == 2  # whole, then as a link


@pytest.mark.usefixtures("_no_retries")
@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("AccessDeniedException", "allow events:PutEvents"),
        ("UnrecognizedClientException", "AWS_ACCESS_KEY_ID"),
        ("ExpiredTokenException", "expired"),
        ("ThrottlingException", "quota"),
        ("InternalException", "sent again"),
    ],
)
def test_an_error_of_the_whole_call_is_an_outage_with_a_next_step(
    broadcaster: EventBridgeBroadcaster, code: str, word: str
) -> None:
    answering(broadcaster, refused(code))
    with pytest.raises(BroadcasterUnavailableError, match=word):
        broadcaster.publish(MESSAGES)


def test_an_outage_midway_fails_only_what_was_not_taken(broadcaster: EventBridgeBroadcaster) -> None:
    answering(broadcaster, failing({0: "ThrottlingException"}), refused("AccessDeniedException"))

    first, second = errors(broadcaster, MESSAGES[:2])

    assert "AccessDenied" in first
    assert second == ""


def test_after_an_outage_the_rest_is_not_tried(broadcaster: EventBridgeBroadcaster) -> None:
    answers = answering(broadcaster, refused("AccessDeniedException"))
    with pytest.raises(BroadcasterUnavailableError):
        broadcaster.publish([a_message(version) for version in range(500)])
    assert len(answers.sent()) < 10


def test_a_bus_that_does_not_exist_loses_no_message(broadcaster: EventBridgeBroadcaster) -> None:
    with mock_aws(), pytest.raises(BroadcasterUnavailableError, match="“crm” does not exist in us-east-1"):
        broadcaster.publish(MESSAGES)


def test_the_bus_is_asked_for_once_in_a_while_and_not_in_every_call(broadcaster: EventBridgeBroadcaster) -> None:
    answers = answering(broadcaster, taken)
    broadcaster.publish(MESSAGES)
    broadcaster.publish(MESSAGES)
    assert answers.buses_asked == 1


def test_a_source_that_is_missing_is_refused_for_each_message() -> None:
    with mock_aws():
        broadcaster = EventBridgeBroadcaster("default", "", 256 * 1024, "https://crm.example.com")
        assert all("EVENTBRIDGE_SOURCE" in error for error in errors(broadcaster))


def test_missing_credentials_are_an_outage_that_names_the_variables(
    broadcaster: EventBridgeBroadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(BroadcasterUnavailableError, match="AWS_ACCESS_KEY_ID"):
        broadcaster.publish(MESSAGES)


def test_a_missing_region_is_an_outage_that_names_the_variable(
    broadcaster: EventBridgeBroadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(BroadcasterUnavailableError, match="AWS_DEFAULT_REGION"):
        broadcaster.publish(MESSAGES)


def test_a_connection_that_is_reset_is_an_outage(
    broadcaster: EventBridgeBroadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.getsockname()[1]}")
        Thread(target=reset_all, args=(server,), daemon=True).start()
        with pytest.raises(BroadcasterUnavailableError, match="sent again"):
            broadcaster.publish(MESSAGES)
        server.shutdown(socket.SHUT_RDWR)


def reset_all(server: socket.socket) -> None:
    """Read a little of every request, then cut the connection."""
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            connection.recv(1)


def test_nothing_is_asked_where_nothing_is_sent(broadcaster: EventBridgeBroadcaster) -> None:
    answers = answering(broadcaster, taken)
    broadcaster.publish([])
    broadcaster.publish([a_message(1, data={1: "unfit"})])
    assert (answers.buses_asked, answers.sent()) == (0, [])


def test_a_process_has_one_client_and_a_forked_one_its_own(
    broadcaster: EventBridgeBroadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = broadcaster._process_client.get()
    assert broadcaster._process_client.get() is client
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert broadcaster._process_client.get() is not client
