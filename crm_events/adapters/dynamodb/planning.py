"""What an append means for its stream: which events are new, with which versions, and which are there already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from crm_events.adapters.dynamodb.items import Item, version_of
from crm_events.domain.events import NewEvent, StoredEvent
from crm_events.domain.heads import Head
from crm_events.ports.event_store import Appended, AppendOutcome, AppendResult, StreamAppend


@dataclass(frozen=True, slots=True)
class Known:
    """An event already in the log, as far as deciding about a repeat needs it."""

    version: int
    delivery: tuple[str, int]
    late: bool

    @classmethod
    def of_item(cls, item: Item) -> "Known":
        """Make it of an event's item; ``ATTRIBUTES`` are enough."""
        delivery = (item["delivery_id"]["S"], int(item["delivery_index"]["N"]))
        return cls(version_of(item), delivery, "late_version" in item)

    def outcome_of_repeat(self, event: NewEvent) -> Appended:
        """Say what an event is that stands where this one does."""
        if (event.delivery_id, event.delivery_index) != self.delivery:
            return Appended(AppendOutcome.DUPLICATE, self.version)
        # The same item again, after a crash between append and answer: it is what it was the first time.
        return Appended(AppendOutcome.LATE if self.late else AppendOutcome.RECORDED, self.version)


ATTRIBUTES = "entity_key, event_position, version, delivery_id, delivery_index, late_version"


@dataclass(slots=True)
class Plan:
    """What is to be written of one append, given its stream's head, and what its result is once that is done."""

    result: AppendResult
    version: int = 0
    newest: str = ""
    new_events: list[tuple[str, StoredEvent]] = field(default_factory=list)


def plan_append(
    append: StreamAppend,
    positions: Sequence[str],
    head: Head | None,
    known: Mapping[str, Known],
    now: datetime,
) -> Plan:
    """Work out an append to a stream as ``head`` shows it; ``positions`` are those of the events.

    ``known`` holds the events of the log that stand at some of the positions: none that is not newer than the head's
    newest may be missing from it.
    """
    version, newest = (head.version, head.newest_position) if head else (0, "")
    if append.expected_version not in (None, version):
        return Plan(AppendResult(append.stream, conflict=version))
    there = dict(known)
    appended: list[Appended] = []
    new_events: list[tuple[str, StoredEvent]] = []
    for event, position in zip(append.events, positions, strict=True):
        if repeated := there.get(position):
            appended.append(repeated.outcome_of_repeat(event))
            continue
        late = position < newest
        version, newest = version + 1, max(newest, position)
        there[position] = Known(version, (event.delivery_id, event.delivery_index), late)
        new_events.append((position, StoredEvent(event, version, now, late)))
        appended.append(Appended(AppendOutcome.LATE if late else AppendOutcome.RECORDED, version))
    return Plan(AppendResult(append.stream, appended), version, newest, new_events)
