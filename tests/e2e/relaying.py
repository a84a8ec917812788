"""The way in as ``deploy/template.yaml`` describes it, on a local AWS: bus, rule, queues, function."""

import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Self, cast

import boto3

from deploy.packaging import forwarder_zip
from engines.catalogue import INVENTED_AWS
from tests.builders import CHANNEL_ID, ORG_ID
from tests.templates import properties
from tests.waiting import wait_until

if TYPE_CHECKING:
    from mypy_boto3_lambda.literals import RuntimeType

SOURCE = f"aws.partner/salesforce.com/{ORG_ID}/{CHANNEL_ID}"


class Relay:
    """All of it under names of its own; gone at the end.

    What the template makes slow is fast here: messages come back after a second, and at once.
    """

    def __init__(self, endpoint: str, api_url: str, api_key: str, max_receives: int) -> None:
        self._name = f"test-{uuid.uuid4().hex[:16]}"
        self._endpoint = endpoint
        self._variables = {"API_URL": api_url, "API_KEY_SECRET": self._name, "API_TIMEOUT": "20"}
        self._api_key = api_key
        self._max_receives = max_receives
        self._events = boto3.client("events", endpoint_url=endpoint)
        self._sqs = boto3.client("sqs", endpoint_url=endpoint)
        self._lambda = boto3.client("lambda", endpoint_url=endpoint)
        self._secrets = boto3.client("secretsmanager", endpoint_url=endpoint)
        self._cleanup = ExitStack()
        self.queue = self.dead_letters = self._mapping = ""

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            self._make_queues(undo)
            self._make_bus(undo)
            self._make_function(undo)
            self._cleanup = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    def put(self, *events: dict[str, Any]) -> None:
        """Put relayed events (in their envelopes) on the bus."""
        for event in events:
            # Only a partner may send as one; the source is what the rule looks at.
            answer = self._events.put_events(
                Entries=[
                    {
                        "EventBusName": self._name,
                        "Source": self._source(event["source"]),
                        "DetailType": event["detail-type"],
                        "Detail": json.dumps(event["detail"]),
                    }
                ]
            )
            assert answer["FailedEntryCount"] == 0, answer

    def send(self, body: str) -> None:
        """Send a message to the queue, past the bus."""
        self._sqs.send_message(QueueUrl=self.queue, MessageBody=body)

    def change_key(self, key: str) -> None:
        """Put another API key into the secret."""
        self._secrets.put_secret_value(SecretId=self._name, SecretString=key)

    def invoke_by_rule(self, detail_type: str) -> None:
        """Let the bus hand events of a type to the function itself, past the queue."""
        rule = f"{self._name}-direct"
        function = self._lambda.get_function(FunctionName=self._name)["Configuration"]["FunctionArn"]
        self._events.put_rule(
            Name=rule, EventBusName=self._name, EventPattern=json.dumps({"detail-type": [detail_type]})
        )
        self._cleanup.callback(self._events.delete_rule, Name=rule, EventBusName=self._name)
        self._events.put_targets(Rule=rule, EventBusName=self._name, Targets=[{"Id": "function", "Arn": function}])
        self._cleanup.callback(self._events.remove_targets, Rule=rule, EventBusName=self._name, Ids=["function"])

    @contextmanager
    def together(self) -> Iterator[None]:
        """Let what comes meanwhile go to the function in one batch."""
        self._lambda.update_event_source_mapping(UUID=self._mapping, Enabled=False)
        yield
        self._lambda.update_event_source_mapping(UUID=self._mapping, Enabled=True)

    def given_up(self) -> list[str]:
        """Return the messages in the dead-letter queue, without taking them."""
        received = self._sqs.receive_message(
            QueueUrl=self.dead_letters, MaxNumberOfMessages=10, VisibilityTimeout=0
        ).get("Messages", [])
        return [message["Body"] for message in received]

    def waiting(self) -> int:
        """Return how many messages are in the queue, in the function's hands or not."""
        names: Sequence[Any] = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)["Attributes"]
        return sum(int(number) for number in attributes.values())

    def has_failed(self) -> bool:
        """Say whether the function got nothing into the service when it last ran."""
        mapping = self._lambda.get_event_source_mapping(UUID=self._mapping)
        return mapping.get("LastProcessingResult") == "FAILED"

    def _source(self, source: str) -> str:
        return source.removeprefix("aws.")

    def _make_queues(self, undo: ExitStack) -> None:
        self.dead_letters = self._make_queue(f"{self._name}-dead", {}, undo)
        redrive = {"deadLetterTargetArn": self._arn(self.dead_letters), "maxReceiveCount": self._max_receives}
        attributes = {"VisibilityTimeout": "1", "RedrivePolicy": json.dumps(redrive)}
        self.queue = self._make_queue(self._name, attributes, undo)

    def _make_queue(self, name: str, attributes: dict[str, str], undo: ExitStack) -> str:
        url = self._sqs.create_queue(QueueName=name, Attributes=cast("Any", attributes))["QueueUrl"]
        undo.callback(self._sqs.delete_queue, QueueUrl=url)
        return url

    def _arn(self, url: str) -> str:
        return self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def _make_bus(self, undo: ExitStack) -> None:
        self._events.create_event_bus(Name=self._name)
        undo.callback(self._events.delete_event_bus, Name=self._name)
        pattern = {**properties("RelayRule")["EventPattern"], "source": [self._source(SOURCE)]}
        self._events.put_rule(Name=self._name, EventBusName=self._name, EventPattern=json.dumps(pattern))
        undo.callback(self._events.delete_rule, Name=self._name, EventBusName=self._name)
        self._events.put_targets(
            Rule=self._name, EventBusName=self._name, Targets=[{"Id": "queue", "Arn": self._arn(self.queue)}]
        )
        undo.callback(self._events.remove_targets, Rule=self._name, EventBusName=self._name, Ids=["queue"])

    def _make_function(self, undo: ExitStack) -> None:
        self._secrets.create_secret(Name=self._name, SecretString=json.dumps({"api_key": self._api_key}))
        undo.callback(self._secrets.delete_secret, SecretId=self._name, ForceDeleteWithoutRecovery=True)
        function = properties("Forwarder")
        self._lambda.create_function(
            FunctionName=self._name,
            Runtime=cast("RuntimeType", function["Runtime"]),
            Handler=function["Handler"],
            Timeout=function["Timeout"],
            Role="arn:aws:iam::000000000000:role/forwarder",
            Code={"ZipFile": forwarder_zip()},
            Environment={"Variables": self._variables | INVENTED_AWS | {"AWS_ENDPOINT_URL": self._endpoint}},
        )
        undo.callback(self._lambda.delete_function, FunctionName=self._name)
        wait_until(lambda: self._state() == "Active")
        mapping = function["Events"]["Queue"]["Properties"]
        made = self._lambda.create_event_source_mapping(
            FunctionName=self._name,
            EventSourceArn=self._arn(self.queue),
            BatchSize=mapping["BatchSize"],
            MaximumBatchingWindowInSeconds=mapping["MaximumBatchingWindowInSeconds"],
            FunctionResponseTypes=mapping["FunctionResponseTypes"],
            ScalingConfig={"MaximumConcurrency": int(mapping["ScalingConfig"]["MaximumConcurrency"])},
        )
        self._mapping = made["UUID"]
        undo.callback(self._lambda.delete_event_source_mapping, UUID=self._mapping)

    def _state(self) -> str:
        return self._lambda.get_function(FunctionName=self._name)["Configuration"]["State"]
