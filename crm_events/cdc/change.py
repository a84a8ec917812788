"""What the fold needs of a stored change, read from its raw text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from crm_events.cdc.header import HeaderError, read_field_lists
from crm_events.cdc.json_text import decode_exact, is_plain
from crm_events.cdc.wire import HEADER, open_envelope, unwrap_members
from crm_events.domain.errors import CrmError


class RawEventError(CrmError):
    """The raw text of an event in the log is not what it was when it was recorded."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"A recorded event cannot be read any more: {self.reason}."


# Not frozen, though nobody changes one: freezing makes each several times as costly, and every event makes one.
@dataclass(slots=True, unsafe_hash=True)
class Change:
    """A change of one record.

    ``changed`` and ``nulled`` name fields as the event does (``BillingAddress.City``). ``body`` holds the fields as
    they came, without header and Avro unions, numbers exact; a value the header calls a diff is ``{"diff": ...}``.
    """

    changed: Sequence[str]
    nulled: Sequence[str]
    body: dict[str, Any]


def read_change(raw: str) -> Change:
    """Return the change that a stored event's raw text holds, whatever its wire shape.

    :raises RawEventError: the text holds no change.
    """
    try:
        change = _change_in(_decode(raw))
        # The quick parser has lost digits of a number: this event is read with more care.
        return change if is_plain(change.body.values()) else _change_in(decode_exact(raw))
    except ValueError as error:
        raise RawEventError("its text is not JSON") from error


def _decode(raw: str) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return decode_exact(raw)


def _change_in(value: Any) -> Change:
    envelope = open_envelope(value)
    if envelope is None:
        raise RawEventError("it has no ChangeEventHeader")
    try:
        lists = read_field_lists(envelope.header)
    except HeaderError as error:
        raise RawEventError(error.detail) from error
    payload = dict(envelope.payload)
    del payload[HEADER]
    body = unwrap_members(payload)
    _mark_diffs(body, lists.diffs)
    return Change(lists.changed, lists.nulled, body)


def _mark_diffs(body: dict[str, Any], names: Sequence[str]) -> None:
    """Give diffs one form: Pub/Sub sends a plain text and names its field in ``diffFields`` (cdc_data_diff)."""
    for name in names:
        if isinstance(body.get(name), str):
            body[name] = {"diff": body[name]}
