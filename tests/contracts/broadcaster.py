"""What every broadcaster must do; a new adapter is done when it passes."""

from typing import Any

import pytest

from crm_projections.ports.broadcaster import Broadcaster, Message, PublishResult

STREAM = "Account#001Qy00000000001"


def a_message(version: int = 1, stream: str = STREAM, **detail: Any) -> Message:
    return Message(f"{stream}/{version}", "client", {"stream": stream, "version": version, **detail})


class BroadcasterContract:
    @pytest.fixture
    def broadcaster(self) -> Broadcaster:
        raise NotImplementedError

    def arrived(self, broadcaster: Broadcaster) -> list[tuple[str, str, Any]]:
        """Return id, entity and detail of the messages a consumer has after removing repeats, by id."""
        raise NotImplementedError

    def test_answers(self, broadcaster: Broadcaster) -> None:
        broadcaster.ping()

    def test_messages_arrive_whole(self, broadcaster: Broadcaster) -> None:
        message = a_message(data={"values": {"name": "Łódź", "amount": "10.50", "tags": ["A"], "none": None}})

        assert broadcaster.publish([message]) == [PublishResult(message.id)]
        assert self.arrived(broadcaster) == [(message.id, "client", message.detail)]

    def test_a_repeat_arrives_once_for_whoever_looks_at_the_id(self, broadcaster: Broadcaster) -> None:
        broadcaster.publish([a_message(1), a_message(2)])

        assert [result.error for result in broadcaster.publish([a_message(2), a_message(3), a_message(3)])] == [""] * 3
        assert [id_ for id_, _, _ in self.arrived(broadcaster)] == [f"{STREAM}/{version}" for version in (1, 2, 3)]

    @pytest.mark.parametrize("unfit", ["\ud800", 2**80, {1: "x"}], ids=["surrogate", "number", "key"])
    def test_a_message_that_fails_holds_up_no_other(self, broadcaster: Broadcaster, unfit: Any) -> None:
        messages = [a_message(1), a_message(2, data=unfit), a_message(3)]

        results = broadcaster.publish(messages)

        assert [result.id for result in results] == [message.id for message in messages]
        assert [bool(result.error) for result in results] == [False, True, False]
        assert [id_ for id_, _, _ in self.arrived(broadcaster)] == [messages[0].id, messages[2].id]

    def test_many_travel_in_a_call(self, broadcaster: Broadcaster) -> None:
        messages = [a_message(version) for version in range(1000)]

        assert not any(result.error for result in broadcaster.publish(messages))
        assert len(self.arrived(broadcaster)) == 1000

    def test_nothing_to_send_is_no_error(self, broadcaster: Broadcaster) -> None:
        assert broadcaster.publish([]) == []
