"""The Lambda function: takes events from EventBridge or from a queue, and forwards them."""

import json
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Protocol

from crm_events.forwarder.forwarding import Outcome, forward
from crm_events.forwarder.settings import Settings


class Context(Protocol):
    """What is used of the context that Lambda gives."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the function may still run."""


class NotForwardedError(Exception):
    """Events were not accepted, so that whoever sent them must send them again."""


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Forward one EventBridge event, or a batch of SQS messages that hold one each.

    Of a batch, the messages whose events were not accepted are reported (``ReportBatchItemFailures``), refused ones
    too: they end in the dead-letter queue, and a log line says why. If none was accepted, it raises, as it does for a
    single event: that counts as an error of the function, which alarms look at.

    An event that EventBridge hands over directly was parsed by Lambda, and is written anew: integers keep their digits,
    fractions those that a 64-bit float holds. Messages of a queue are forwarded byte by byte.

    :raises NotForwardedError: nothing was accepted.
    """
    if "Records" not in event:
        _forward([str(event.get("id", ""))], [json.dumps(event)], context)
        return {"forwarded": 1}
    records = event["Records"]
    names = [str(record["messageId"]) for record in records]
    outcomes = _forward(names, [record["body"] for record in records], context)
    failed = [name for name, outcome in zip(names, outcomes, strict=True) if not outcome.is_accepted]
    return {"batchItemFailures": [{"itemIdentifier": name} for name in failed]}


def _forward(names: Sequence[str], texts: Sequence[str], context: Context) -> list[Outcome]:
    outcomes = forward(texts, _settings(), lambda: context.get_remaining_time_in_millis() / 1000)
    _report(names, outcomes, context.aws_request_id)
    failed = [outcome for outcome in outcomes if not outcome.is_accepted]
    if failed and len(failed) == len(outcomes):
        raise NotForwardedError(f"None of {len(failed)} events was accepted. {failed[0].reason}.")
    return outcomes


@cache
def _settings() -> Settings:
    return Settings.from_environment(os.environ)


def _report(names: Sequence[str], outcomes: Sequence[Outcome], request_id: str) -> None:
    accepted = [outcome for outcome in outcomes if outcome.is_accepted]
    deliveries = list(dict.fromkeys(outcome.delivery for outcome in accepted))
    failed = len(outcomes) - len(accepted)
    counts = {"events": len(outcomes), "accepted": len(accepted), "failed": failed, "deliveries": deliveries}
    _log("WARNING" if failed else "INFO", "events_forwarded", request_id, **counts)
    for name, outcome in zip(names, outcomes, strict=True):
        if outcome.is_refused:
            _log("ERROR", "event_refused", request_id, message=name, status=outcome.status, reason=outcome.reason)
    missed = Counter(outcome for outcome in outcomes if not (outcome.is_accepted or outcome.is_refused))
    for outcome, count in missed.items():
        _log("ERROR", "not_forwarded", request_id, count=count, status=outcome.status, reason=outcome.reason)


def _log(level: str, event: str, request_id: str, **fields: Any) -> None:
    # One JSON object a line, of ids, numbers and our own words: nothing of an event's content.
    line = {"level": level, "event": event, "request_id": request_id, **fields}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
