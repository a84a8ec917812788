"""Two ways for a command to hand events in: over HTTP, or to the command service of its own process."""

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime

from django.conf import settings

from crm_events.cdc import BodyError
from crm_events.domain.outcomes import Outcome
from crm_events.entry import command_service
from crm_events.management.posting import EventPoster, RefusedError, UnreachableError
from crm_events.ports.commands import AcceptEvents, ProcessEvents
from crm_events.selectors import delivery_status
from crm_events.services.wakeups import wake_projector

_POLL_SECONDS = 0.1
# Twice as long as a worker may keep a delivery that it claimed before it died.
_PATIENCE_SECONDS = 60.0


class Sender(ABC):
    """Hand in events and tell what became of them."""

    @abstractmethod
    def send(self, body: bytes) -> str:
        """Hand in an array of events, and return the id of the stored delivery.

        :raises RefusedError: it was not taken.
        :raises PostingError: the service cannot be reached.
        """

    @abstractmethod
    def outcomes(self, delivery_id: str) -> Sequence[Outcome]:
        """Return what became of a delivery, once it is in the log.

        :raises PostingError: the service cannot be reached, or takes too long.
        """


class HttpSender(Sender):
    """Hand events to a service at an address."""

    def __init__(self, poster: EventPoster) -> None:
        self._poster = poster

    def send(self, body: bytes) -> str:
        """Post the events."""
        return self._poster.post(body)

    def outcomes(self, delivery_id: str) -> Sequence[Outcome]:
        """Ask until the delivery is in the log."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while (report := self._poster.report(delivery_id)).status == "accepted":
            _check(deadline)
            self._poster.pause(_POLL_SECONDS)
        return report.outcomes


class ServiceSender(Sender):
    """Hand events to the command service in this process, which brings them into the log at once."""

    def send(self, body: bytes) -> str:
        """Store the events as a delivery."""
        try:
            return command_service().accept_events(AcceptEvents(body, "manage.py ingest_file"), datetime.now(UTC)).id
        except BodyError as error:
            raise RefusedError(400, error.detail) from error

    def outcomes(self, delivery_id: str) -> Sequence[Outcome]:
        """Process deliveries until this one is done, by us or by a server that was faster."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            processed = command_service().process_events(ProcessEvents(), datetime.now(UTC))
            if not settings.BROKER_IS_EMBEDDED:  # one in memory would keep the messages, and nobody here reads them
                wake_projector(processed.streams)
            status = delivery_status(delivery_id)
            if status is not None and status.status != "accepted":
                return status.outcomes
            _check(deadline)
            if not processed.deliveries:
                time.sleep(_POLL_SECONDS)


def _check(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise UnreachableError("The service", _PATIENCE_SECONDS, "a delivery did not get into the log")
