"""A broadcaster that puts messages on an EventBridge bus."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError

from crm_events.ports.provisioning import Finding, Provisioned
from crm_projections.adapters.eventbridge.bus import Bus
from crm_projections.adapters.eventbridge.client import ProcessClient
from crm_projections.adapters.eventbridge.entries import Item, Packer, UnfitMessageError, batches
from crm_projections.adapters.eventbridge.failures import unavailable
from crm_projections.adapters.eventbridge.sending import Sending
from crm_projections.ports.broadcaster import Broadcaster, Message, PublishResult

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient


class EventBridgeBroadcaster(Broadcaster, Provisioned):
    """Put each message on a bus as one event.

    ``source`` is the event's source, ``<entity>.changed`` its detail type, the message's id its one resource, the
    message's detail its detail. A request stays below ``max_request_bytes``, as AWS counts them; a message that does
    not fit alone is sent with a link to the entity, below ``public_url``, in place of its values.

    ``bus`` is a name or an ARN. Region, credentials and endpoint are boto3's own settings.
    """

    def __init__(self, bus: str, source: str, max_request_bytes: int, public_url: str) -> None:
        self._bus = Bus(bus)
        self._packer = Packer(bus, source, max_request_bytes, public_url)
        self._process_client = ProcessClient()

    def publish(self, messages: Sequence[Message]) -> list[PublishResult]:
        """Send messages, ten in a request; entries that fail alone are sent again alone."""
        items, errors = self._pack(messages)
        if items:
            client = self._client()
            self._bus.require(client)
            sending = Sending(client, self._packer)
            sending.run(list(batches(items, self._packer.max_bytes)))
            if sending.outage is not None and all(sending.errors.values()):
                raise sending.outage
            errors |= sending.errors
        return [PublishResult(message.id, errors[index]) for index, message in enumerate(messages)]

    def ping(self) -> None:
        """Ask for the bus.

        :raises BroadcasterUnavailableError: it does not exist, or EventBridge does not answer.
        """
        self._bus.ask(self._client())

    def verify(self) -> Sequence[Finding]:
        return self._bus.verify(self._client())

    def provision(self) -> Sequence[Finding]:
        return self._bus.provision(self._client())

    def _pack(self, messages: Sequence[Message]) -> tuple[list[Item], dict[int, str]]:
        items: list[Item] = []
        errors: dict[int, str] = {}
        for index, message in enumerate(messages):
            try:
                items.append(self._packer.item(index, message))
            except UnfitMessageError as error:
                errors[index] = str(error)
        return items, errors

    def _client(self) -> "EventBridgeClient":
        try:
            return self._process_client.get()
        except BotoCoreError as error:
            raise unavailable(error) from error
