import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crm_projections.adapters.eventbridge import EventBridgeBroadcaster
from crm_projections.ports.broadcaster import Broadcaster, Message
from tests.buses import BusWithQueue
from tests.contracts.broadcaster import BroadcasterContract, a_message

SOURCE = "client-management"
LIMIT = 256 * 1024


class TestEventBridgeBroadcaster(BroadcasterContract):
    bus: BusWithQueue

    @pytest.fixture
    def queue(self, aws_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[BusWithQueue]:
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws_endpoint)
        with BusWithQueue({"source": [SOURCE]}) as bus:
            yield bus

    @pytest.fixture
    def broadcaster(self, queue: BusWithQueue) -> Broadcaster:
        self.bus = queue
        return EventBridgeBroadcaster(queue.name, SOURCE, LIMIT, "https://crm.example.com")

    def arrived(self, broadcaster: Broadcaster) -> list[tuple[str, str, Any]]:
        events = {event["resources"][0]: event for event in self.bus.drain()}
        return sorted(
            (id_, event["detail-type"].removesuffix(".changed"), event["detail"]) for id_, event in events.items()
        )

    def test_an_event_says_whose_it_is_and_of_what(self, broadcaster: Broadcaster) -> None:
        message = a_message()
        broadcaster.publish([message])

        (event,) = self.bus.drain()
        assert (event["source"], event["detail-type"], event["resources"]) == (SOURCE, "client.changed", [message.id])

    def test_a_message_too_large_for_a_request_arrives_as_a_link(self, broadcaster: Broadcaster) -> None:
        large = a_message(1, entity_id="001Qy00000000001AAA", data={"values": {"description": "x" * LIMIT}})

        assert [result.error for result in broadcaster.publish([large, a_message(2)])] == ["", ""]
        (first, _, detail), (second, _, _) = self.arrived(broadcaster)
        assert (first, second) == (large.id, a_message(2).id)
        assert detail["data"] == {
            "link": "https://crm.example.com/api/v1/entities/client/001Qy00000000001AAA/?include_deleted=true"
        }


def test_the_documented_rule_takes_the_messages_it_says(aws_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_endpoint)
    text = (Path(__file__).resolve().parents[2] / "docs" / "broadcasts.md").read_text()
    (rule,) = re.findall(r"```json\n(.*?)```", text, flags=re.DOTALL)
    with BusWithQueue(json.loads(rule)) as queue:
        broadcaster = EventBridgeBroadcaster(queue.name, SOURCE, LIMIT, "https://crm.example.com")
        broadcaster.publish(
            [
                Message("amount", "deal", {"changed_fields": [{"field": "name"}, {"field": "amount"}]}),
                Message("name", "deal", {"changed_fields": [{"field": "name"}]}),
                Message("client", "client", {"changed_fields": [{"field": "amount"}]}),
            ]
        )
        assert [event["resources"] for event in queue.drain()] == [["amount"]]
