"""The change event header: its fields checked one by one (Change Data Capture guide, cdc_event_fields_header)."""

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from itertools import chain
from typing import Any, NamedTuple

from crm_events.cdc.wire import unwrap
from crm_events.domain.errors import CrmError
from crm_events.domain.events import EventType
from crm_events.domain.identifiers import is_entity_name
from crm_events.domain.order import MAX_COMMIT_NUMBER, MAX_COMMIT_TIMESTAMP, MAX_SEQUENCE_NUMBER, OrderKey

OVERFLOW = "GAP_OVERFLOW"
MAX_TRANSACTION_KEY = 200
_MAX_SHOWN = 80
_TEXTS = frozenset({str})
_CHANGE_TYPES = {*EventType.__members__, OVERFLOW}
_DIGITS = re.compile(r"[0-9]{1,30}")
# Pub/Sub names fields by their place in the Avro schema: 0x4C, and 4-0x02 for the children of the field at place 4.
_BITMAP = re.compile(r"(?:[0-9]+-)?0[xX][0-9A-Fa-f]*")


class HeaderError(CrmError):
    """A header cannot be used; ``cause`` tells this class of failure from others of the same ``code``."""

    def __init__(self, code: str, detail: str, cause: str = "") -> None:
        super().__init__(code, detail, cause)
        self.code = code
        self.detail = detail
        self.cause = cause


class Header(NamedTuple):
    """A checked header. ``record_ids`` is as it came: each id has yet to be looked at."""

    entity_name: str
    change_type: str
    order_key: OrderKey
    transaction_key: str
    record_ids: list[Any]


class FieldLists(NamedTuple):
    """Which fields changed, which of them became null, and which come as a diff."""

    changed: Sequence[str]
    nulled: Sequence[str]
    diffs: Sequence[str]


def read_header(header: dict[str, Any]) -> Header:
    """Check a header that is out of its Avro unions, and return what the log needs of it.

    :raises HeaderError: a field is missing, of the wrong type or out of range, or the type of change is none we keep.
    """
    entity_name = header.get("entityName")
    if not isinstance(entity_name, str) or not is_entity_name(entity_name):
        raise _bad_field("entityName", "the API name of a Salesforce object", entity_name)
    change_type = _change_type(header.get("changeType"))
    order_key = OrderKey(
        _whole_number(header, "commitTimestamp", MAX_COMMIT_TIMESTAMP),
        _whole_number(header, "commitNumber", MAX_COMMIT_NUMBER),
        _whole_number(header, "sequenceNumber", MAX_SEQUENCE_NUMBER),
    )
    transaction_key = _transaction_key(header.get("transactionKey"))
    _refuse_bitmaps(read_field_lists(header))
    record_ids = header.get("recordIds")
    return Header(
        entity_name, change_type, order_key, transaction_key, record_ids if isinstance(record_ids, list) else []
    )


def read_field_lists(header: dict[str, Any]) -> FieldLists:
    """Return the lists of field names of a header, empty where it has none.

    :raises HeaderError: a list is not a list of texts.
    """
    # The guide prints the names of the last two both ways.
    return FieldLists(
        _names(header, "changedFields"),
        _names(header, "nulledFields", "nulledfields"),
        _names(header, "diffFields", "difffields"),
    )


def shown(value: Any) -> str:
    """Return a value as an operator can read it: short, on one line."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    text = "".join(char if char.isprintable() else "�" for char in text[: _MAX_SHOWN + 1])
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def _names(header: dict[str, Any], *spellings: str) -> list[str]:
    for key in spellings:
        # Most headers have but the first of the lists.
        names = unwrap(header[key]) if header.get(key) is not None else None
        if names is None:
            continue
        if not isinstance(names, list) or not _TEXTS.issuperset(map(type, names)):
            raise _bad_field(spellings[0], "a list of field names", names)
        return names
    return []


def _change_type(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise _bad_field("changeType", "the name of a type of change", value)
    if value == EventType.SNAPSHOT:
        raise HeaderError(
            "snapshot_posted",
            "SNAPSHOT is reserved: only this service writes such events, from rows it reads itself. "
            "Next: find out who posted it and have them stop.",
        )
    if value not in _CHANGE_TYPES:
        raise HeaderError(
            "unknown_change_type",
            f"“{shown(value)}” is no type of change this service knows. "
            "Next: if Salesforce has brought in a new one, teach the service to read it, then retry.",
            cause=shown(value),
        )
    return value


def _whole_number(header: dict[str, Any], name: str, limit: int) -> int:
    value = header.get(name)
    number = value if type(value) is int else _as_int(value)
    if number is None or not 0 <= number <= limit:
        raise _bad_field(name, f"a whole number from 0 to {limit}", value)
    return number


def _as_int(value: Any) -> int | None:
    """Return an exact integer; a ``bool`` is none, and a ``float`` may have lost digits."""
    if isinstance(value, int):
        return None if isinstance(value, bool) else value
    if isinstance(value, str):
        return int(value) if _DIGITS.fullmatch(value) else None
    # The bound first: writing out 1e999999999 as an integer would take minutes.
    if isinstance(value, Decimal) and value.is_finite() and abs(value) < 10**30:
        return int(value) if value == value.to_integral_value() else None
    return None


def _transaction_key(value: Any) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_TRANSACTION_KEY or "\x00" in value:
        raise _bad_field("transactionKey", f"a text of 1 to {MAX_TRANSACTION_KEY} characters", value)
    return value


def _refuse_bitmaps(lists: FieldLists) -> None:
    for name in chain(*lists):
        # No name begins with a digit, and every bitmap does.
        if name[:1] <= "9" and _BITMAP.fullmatch(name):
            raise HeaderError(
                "raw_bitmaps",
                f"The changed fields come as bitmaps (“{shown(name)}”), which nobody can read without the schema "
                "of the event. Next: have the Pub/Sub subscriber turn them into field names, then send it again.",
            )


def _bad_field(name: str, wanted: str, value: Any) -> HeaderError:
    found = "is missing" if value is None else f"is “{shown(value)}”"
    return HeaderError(
        "bad_header_field",
        f"The header field {name} {found}; it must be {wanted}. Next: correct the sender, then send the event again.",
        cause=name,
    )
