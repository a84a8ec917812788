"""The raw text of our own events: a row that was read from Salesforce, and a record that is confirmed as gone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crm_events.cdc.change import RawEventError
from crm_events.cdc.json_text import decode_exact, encode_exact
from crm_events.domain.identifiers import StreamKey


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A row of Salesforce. ``read_start`` is Salesforce's clock before the read, in epoch milliseconds.

    ``full`` says that the row has all columns of the record; ``broadcast`` that downstream is to hear of it. ``row``
    holds the columns by their REST names; the empty text of a CSV file is null.
    """

    entity: str
    id: str
    read_start: int
    full: bool
    broadcast: bool
    row: dict[str, Any]


def snapshot_raw(
    stream: StreamKey, row: Mapping[str, Any], *, read_start: int, full: bool, broadcast: bool = False
) -> str:
    """Return the raw text of a SNAPSHOT event for a row of REST or Bulk, as ``read_snapshot`` reads it.

    :raises TypeError: the row holds something JSON has no exact form for, such as a ``float``.
    """
    snapshot = {
        "entity": stream.entity_name,
        "id": stream.entity_id,
        "read_start": read_start,
        "full": full,
        "broadcast": broadcast,
        "row": _whole(dict(row)),
    }
    return encode_exact({"snapshot": snapshot})


def confirmed_gone_raw(stream: StreamKey, *, read_start: int) -> str:
    """Return the raw text of our own DELETE event, for a record that Salesforce says is gone."""
    gone = {"entity": stream.entity_name, "id": stream.entity_id, "read_start": read_start}
    return encode_exact({"confirmed_gone": gone})


def read_snapshot(raw: str) -> Snapshot:
    """Return the row that a SNAPSHOT event holds.

    :raises RawEventError: the text holds no snapshot.
    """
    try:
        snapshot = decode_exact(raw)["snapshot"]
        return Snapshot(
            snapshot["entity"],
            snapshot["id"],
            snapshot["read_start"],
            snapshot["full"],
            snapshot["broadcast"],
            _columns(snapshot["row"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RawEventError("it holds no row of Salesforce") from error


def _columns(row: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of a row, without what REST adds: attributes, compounds and the records it refers to."""
    return {
        name: None if value == "" else value
        for name, value in row.items()
        if not isinstance(value, dict) and not name.endswith("__r") and name != "attributes"
    }


def _whole(value: Any) -> Any:
    """Return a value of a row without half characters (lone surrogates), which no database keeps as UTF-8.

    Code in Salesforce that cuts texts to a length leaves them behind, and one must not keep a record from being read.
    """
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {name: _whole(member) for name, member in value.items()}
    return [_whole(member) for member in value] if isinstance(value, list) else value
