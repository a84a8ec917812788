"""The text of an event as it came, out of whatever carried it."""

import json
from typing import Any, Final

_DEEPEST: Final = 4


class UnreadableError(Exception):
    """A text is no event; the text of the error says why."""


def event_text(text: str) -> str:
    """Return an event's own JSON text, without a wrapping of text around it.

    Taken off are an SNS notification and a JSON string that holds the event. Nothing is written anew: numbers keep
    their digits.

    :raises UnreadableError: it is not JSON.
    """
    for _ in range(_DEEPEST):
        inner = _wrapped(_parse(text))
        if inner is None:
            return text
        text = inner
    raise UnreadableError("The event is wrapped too often. Next: look at it in the dead-letter queue")


def _wrapped(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    # https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
    if isinstance(value, dict) and value.get("Type") == "Notification" and isinstance(value.get("Message"), str):
        return str(value["Message"])
    return None


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableError("The event is not JSON. Next: look at it in the dead-letter queue") from error
