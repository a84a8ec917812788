"""The event bus: whether it exists, and making it."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from crm_events.ports.provisioning import Condition, Finding
from crm_projections.adapters.eventbridge.failures import bus_is_missing, code_of, unavailable

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

_SECONDS_TRUSTED: Final = 60.0


class Bus:
    """A bus by name or ARN.

    PutEvents answers with success for a bus that does not exist and drops the events
    (https://github.com/aws/aws-cli/issues/9186), so whoever sends has to ask first.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._seen_at: float | None = None

    def require(self, client: "EventBridgeClient") -> None:
        """Return if the bus is there; asked at most once a minute.

        :raises BroadcasterUnavailableError: it is not, or EventBridge does not answer.
        """
        if self._seen_at is None or time.monotonic() - self._seen_at > _SECONDS_TRUSTED:
            self.ask(client)

    def ask(self, client: "EventBridgeClient") -> None:
        """Return if the bus is there.

        :raises BroadcasterUnavailableError: it is not, or EventBridge does not answer.
        """
        if not self._exists(client):
            raise bus_is_missing(self._name, client.meta.region_name)
        self._seen_at = time.monotonic()

    def verify(self, client: "EventBridgeClient") -> Sequence[Finding]:
        """Say whether the bus is there."""
        if self._exists(client):
            return [Finding(self._subject, Condition.READY)]
        return [Finding(self._subject, Condition.MISSING, f"Nothing of that name in {client.meta.region_name}.")]

    def provision(self, client: "EventBridgeClient") -> Sequence[Finding]:
        """Make the bus if it is not there and a name says that it is ours."""
        if self._exists(client):
            return [Finding(self._subject, Condition.READY)]
        if ":" in self._name or "/" in self._name:
            detail = "It belongs to another account or to a partner, who must make it. Next: correct EVENTBRIDGE_BUS."
            return [Finding(self._subject, Condition.MISSING, detail)]
        try:
            client.create_event_bus(Name=self._name)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) != "ResourceAlreadyExistsException":
                raise unavailable(error) from error
        return [Finding(self._subject, Condition.CREATED, "Consumers' rules on it are theirs to make.")]

    @property
    def _subject(self) -> str:
        return f"bus {self._name}"

    def _exists(self, client: "EventBridgeClient") -> bool:
        try:
            client.describe_event_bus(Name=self._name)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) == "ResourceNotFoundException":
                return False
            raise unavailable(error) from error
        return True
