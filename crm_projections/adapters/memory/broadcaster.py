"""A broadcaster that keeps its messages in a list."""

from collections.abc import Sequence
from threading import Lock

import orjson

from crm_projections.ports.broadcaster import Broadcaster, Message, PublishResult


class MemoryBroadcaster(Broadcaster):
    """Remember every message, repeats included, in the order they came."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sent: list[Message] = []

    @property
    def sent(self) -> list[Message]:
        """Return all messages so far, one that was published twice twice."""
        with self._lock:
            return list(self._sent)

    @property
    def messages(self) -> list[Message]:
        """Return all messages so far as a consumer keeps them: the first of each id."""
        first: dict[str, Message] = {}
        for message in self.sent:
            first.setdefault(message.id, message)
        return list(first.values())

    def clear(self) -> None:
        """Forget all messages."""
        with self._lock:
            self._sent.clear()

    def publish(self, messages: Sequence[Message]) -> list[PublishResult]:
        """Keep the messages whose detail is JSON."""
        results = [PublishResult(message.id, _refusal(message)) for message in messages]
        with self._lock:
            self._sent += [message for message, result in zip(messages, results, strict=True) if not result.error]
        return results

    def ping(self) -> None:
        """Return: memory answers."""


def _refusal(message: Message) -> str:
    try:
        orjson.dumps(message.detail)
    except TypeError as error:
        return f"The message cannot be written as JSON: {error}. Correct the mapping."
    return ""
