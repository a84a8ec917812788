"""An event bus with a queue behind a rule, in whatever engine boto3's settings name."""

import json
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import boto3

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import TargetTypeDef


class BusWithQueue:
    """A bus of its own whose events arrive in a queue; both are gone at the end."""

    def __init__(self, pattern: Mapping[str, Any]) -> None:
        self.name = f"test-{uuid.uuid4().hex}"
        self._pattern = json.dumps(pattern)
        self._events = boto3.client("events")
        self._sqs = boto3.client("sqs")
        self.queue_url = ""

    def __enter__(self) -> Self:
        self._events.create_event_bus(Name=self.name)
        self.queue_url = self._sqs.create_queue(QueueName=self.name)["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=["QueueArn"])["Attributes"]
        self._events.put_rule(Name=self.name, EventBusName=self.name, EventPattern=self._pattern)
        target: TargetTypeDef = {"Id": "queue", "Arn": attributes["QueueArn"]}
        self._events.put_targets(Rule=self.name, EventBusName=self.name, Targets=[target])
        return self

    def __exit__(self, *_: object) -> None:
        self._events.remove_targets(Rule=self.name, EventBusName=self.name, Ids=["queue"])
        self._events.delete_rule(Name=self.name, EventBusName=self.name)
        self._events.delete_event_bus(Name=self.name)
        self._sqs.delete_queue(QueueUrl=self.queue_url)

    def drain(self) -> list[dict[str, Any]]:
        """Return the events that have come since the last time."""
        events: list[dict[str, Any]] = []
        while received := self._sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages"):
            events += [json.loads(message["Body"]) for message in received]
            handles = [(str(place), message["ReceiptHandle"]) for place, message in enumerate(received)]
            self._sqs.delete_message_batch(
                QueueUrl=self.queue_url, Entries=[{"Id": id_, "ReceiptHandle": handle} for id_, handle in handles]
            )
        return events
