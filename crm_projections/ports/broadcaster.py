"""How downstream systems hear of changed entities."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_events.domain.errors import EngineUnavailableError


class BroadcasterUnavailableError(EngineUnavailableError):
    """The broadcaster does not answer or refuses for now; the same call may succeed later."""


@dataclass(frozen=True, slots=True)
class Message:
    """One changed entity. ``id`` is stream and version (and the run's id in a replay): the same whenever it is sent.

    ``detail`` is the JSON-ready body, as the published JSON Schema describes it.
    """

    id: str
    entity: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PublishResult:
    """What became of one message; ``error`` is empty if it was taken, else it says why it was not."""

    id: str
    error: str = ""


class Broadcaster(ABC):
    """Hand messages to the downstream systems, at least once, many in a call."""

    @abstractmethod
    def publish(self, messages: Sequence[Message]) -> list[PublishResult]:
        """Send messages, one result for each, in order; a failed one never holds up another.

        :raises BroadcasterUnavailableError: none of them could be sent.
        """

    @abstractmethod
    def ping(self) -> None:
        """Return if the broadcaster answers."""
