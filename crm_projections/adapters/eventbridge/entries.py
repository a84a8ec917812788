"""From messages to the entries of PutEvents, and from entries to requests that EventBridge takes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from crm_projections.ports.broadcaster import Message

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

# EventBridge quotas: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
MAX_ENTRIES: Final = 10
# PutEvents takes a longer detail type, answers with success, and delivers nothing.
_MAX_DETAIL_TYPE: Final = 128
_TIME_BYTES: Final = 14


class UnfitMessageError(Exception):
    """A message that cannot be sent however often one tries; the text is an operator's."""


@dataclass(frozen=True, slots=True)
class Item:
    """A message on its way: its place in the call, what is sent of it, and how many bytes AWS counts for that."""

    index: int
    message: Message
    entry: "PutEventsRequestEntryTypeDef"
    size: int
    is_link: bool = False


@dataclass(frozen=True, slots=True)
class Packer:
    """Make entries for one bus. A request stays below ``max_bytes``; ``public_url`` is where links lead."""

    bus: str
    source: str
    max_bytes: int
    public_url: str

    def item(self, index: int, message: Message) -> Item:
        """Return what is sent of a message: all of it, or where it is too large, a link to the entity.

        :raises UnfitMessageError: the message is not JSON, or too large even so.
        """
        whole = self._item(index, message, message.detail)
        return whole if whole.size < self.max_bytes else self.link(index, message)

    def link(self, index: int, message: Message) -> Item:
        """Return the short form of a message: a link to the entity, and the changed fields by name alone.

        :raises UnfitMessageError: the message is too large even so.
        """
        item = self._item(index, message, self._linking(message), is_link=True)
        if item.size >= self.max_bytes:
            raise UnfitMessageError(
                f"Even without its values the message has {item.size} bytes, and a request must stay below"
                f" {self.max_bytes}. Next: raise EVENTBRIDGE_MAX_REQUEST_BYTES."
            )
        return item

    def _item(self, index: int, message: Message, detail: Any, *, is_link: bool = False) -> Item:
        detail_type = f"{message.entity}.changed"
        if not message.entity or len(detail_type) > _MAX_DETAIL_TYPE:
            raise UnfitMessageError(
                f"“{detail_type}” must name an entity and have at most {_MAX_DETAIL_TYPE} characters."
                " Next: correct the mapping's entity name."
            )
        entry: PutEventsRequestEntryTypeDef = {
            "EventBusName": self.bus,
            "Source": self.source,
            "DetailType": detail_type,
            "Resources": [message.id],
            "Detail": _json(detail),
        }
        return Item(index, message, entry, entry_size(entry), is_link)

    def _linking(self, message: Message) -> dict[str, Any]:
        detail = dict(message.detail)
        entity_id = detail.get("entity_id", "")
        changed = detail.get("changed_fields", [])
        # A deleted entity is found only by those who ask for deleted ones too.
        address = f"/api/v1/entities/{message.entity}/{entity_id}/?include_deleted=true"
        detail["data"] = {"link": self.public_url.rstrip("/") + address}
        detail["changed_fields"] = [{"field": change["field"]} for change in changed]
        return detail


def entry_size(entry: "PutEventsRequestEntryTypeDef") -> int:
    """Return the bytes AWS counts for an entry.

    Source, detail type, detail and resources in UTF-8, and 14 for a time, if there is one:
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html
    """
    texts = [entry.get("Source", ""), entry.get("DetailType", ""), entry.get("Detail", ""), *entry.get("Resources", ())]
    return sum(len(text.encode()) for text in texts) + (_TIME_BYTES if "Time" in entry else 0)


def batches(items: Sequence[Item], max_bytes: int) -> Iterator[list[Item]]:
    """Split items, in order, into requests of at most ten that stay below ``max_bytes``, as each item alone does."""
    batch: list[Item] = []
    size = 0
    for item in items:
        if batch and (len(batch) == MAX_ENTRIES or size + item.size >= max_bytes):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += item.size
    if batch:
        yield batch


def _json(detail: Any) -> str:
    try:
        return orjson.dumps(detail).decode()
    except TypeError as error:
        raise UnfitMessageError(
            f"The message cannot be written as JSON: {error}. Next: correct the mapping."
        ) from error
