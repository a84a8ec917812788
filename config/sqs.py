"""Kombu's SQS transport, for a worker that goes on polling whatever SQS answers.

In Kombu 5.7 an answer that is no success ends the polling of its queue, or the whole worker: one of 500 and more is
turned into an empty list where a dictionary is read, and for any other an exception leaves the event loop's callback.
"""

from functools import partial
from typing import Any

import structlog
from kombu.asynchronous.aws.sqs.connection import AsyncSQSConnection
from kombu.transport import SQS

_log = structlog.get_logger(__name__)


def _read_patiently(connection: AsyncSQSConnection, *arguments: Any) -> Any:
    """Read an answer to ReceiveMessage; whatever is no success holds no message, and the next poll asks again."""
    try:
        return AsyncSQSConnection._on_list_ready(connection, *arguments) or {}  # noqa: SLF001  # nothing public is there
    except Exception as error:  # noqa: BLE001  # Kombu raises the bare class, with what SQS said as its text
        _log.warning("queue_not_read", error=str(error))
        return {}


class Channel(SQS.Channel):
    """A channel whose queues are polled until they are cancelled."""

    def asynsqs(self, queue: str | None = None) -> Any:
        """Return the connection that polls a queue."""
        connection = super().asynsqs(queue)  # type: ignore[no-untyped-call]
        connection._on_list_ready = partial(_read_patiently, connection)  # noqa: SLF001  # as above
        return connection


class Transport(SQS.Transport):
    """The transport to name in ``broker_transport``."""

    Channel = Channel
