"""Sending entries until each one is taken, refused or given up."""

import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from crm_projections.adapters.eventbridge.client import PARALLEL
from crm_projections.adapters.eventbridge.entries import Item, Packer, UnfitMessageError
from crm_projections.adapters.eventbridge.failures import (
    RETRYABLE,
    AwsError,
    entry_error,
    is_refused_request,
    unavailable,
)
from crm_projections.ports.broadcaster import BroadcasterUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsResultEntryTypeDef

# How often an entry is sent that fails alone; what is left then waits for the next sweep.
ATTEMPTS: Final = 5
_FIRST_PAUSE: Final = 0.05  # seconds; doubled each time
_NO_ANSWER: Final = "EventBridge's answer says nothing of this message. Next: nothing, it is sent again."


@dataclass(slots=True)
class Sending:
    """One call of ``publish`` at work; ``errors`` says of each item's index why it was not taken, empty if it was."""

    client: "EventBridgeClient"
    packer: Packer
    errors: dict[int, str] = field(default_factory=dict)
    outage: BroadcasterUnavailableError | None = None

    def run(self, requests: Sequence[Sequence[Item]]) -> None:
        """Send all requests, a few at the same time; after an outage the rest is not tried."""
        if len(requests) == 1:
            self._send(requests[0])
            return
        with ThreadPoolExecutor(min(PARALLEL, len(requests)), thread_name_prefix="eventbridge") as pool:
            list(pool.map(self._send, requests))

    def _send(self, items: Sequence[Item]) -> None:
        for attempt in range(ATTEMPTS):
            if attempt:
                # The whole pause by chance, so that processes that failed together do not come back together.
                time.sleep(random.uniform(0, _FIRST_PAUSE * 2**attempt))  # noqa: S311  # no secret
            items = self._put(items)
            if not items:
                return

    def _put(self, items: Sequence[Item]) -> list[Item]:
        """Send one request and return the items to send again."""
        if self.outage is not None:
            self.errors |= dict.fromkeys((item.index for item in items), str(self.outage))
            return []
        try:
            answer = self.client.put_events(Entries=[item.entry for item in items])
        except (ClientError, BotoCoreError) as error:
            self._failed(items, error)
            return []
        return self._read(items, answer.get("Entries", []))

    def _read(self, items: Sequence[Item], answers: Sequence["PutEventsResultEntryTypeDef"]) -> list[Item]:
        again = []
        for place, item in enumerate(items):
            result = answers[place] if place < len(answers) else None
            code = result.get("ErrorCode", "") if result else ""
            if result is None:
                self.errors[item.index] = _NO_ANSWER
            else:
                self.errors[item.index] = entry_error(code, result.get("ErrorMessage", "")) if code else ""
            if result is None or code in RETRYABLE:
                again.append(item)
        return again

    def _failed(self, items: Sequence[Item], error: AwsError) -> None:
        if not is_refused_request(error):
            self.outage = unavailable(error)
            self.errors |= dict.fromkeys((item.index for item in items), str(self.outage))
        elif len(items) > 1:
            # Something in the request is not taken, or EventBridge's limit is lower than ours: find out what.
            middle = len(items) // 2
            self._send(items[:middle])
            self._send(items[middle:])
        else:
            self._refused(items[0], error)

    def _refused(self, item: Item, error: AwsError) -> None:
        self.errors[item.index] = f"EventBridge refuses the message: {error}. Next: correct what it names."
        if item.is_link:
            return
        try:
            self._send([self.packer.link(item.index, item.message)])
        except UnfitMessageError:
            return
