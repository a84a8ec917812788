from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from kombu.asynchronous.aws.sqs.connection import AsyncSQSConnection

from config.sqs import _read_patiently


@dataclass
class Answer:
    """What is left of an HTTP answer when Kombu reads it."""

    status: int
    reason: str = "a reason"

    def read(self) -> bytes:
        return b"what SQS says"


@pytest.mark.parametrize("status", [599, 503, 500, 400, 403])
def test_reads_no_message_where_sqs_does_not_give_any(status: int) -> None:
    """As a dictionary, and without an exception: either would end the polling."""
    client = boto3.client("sqs", region_name="us-east-1")
    connection: Any = AsyncSQSConnection(sqs_connection=client, http_client=object())
    assert _read_patiently(connection, None, [], "ReceiveMessage", Answer(status)) == {}
