"""What became of the items of a delivery."""

from dataclasses import dataclass


# Not frozen, though nobody changes one: freezing makes each several times as costly, and every event makes one.
@dataclass(slots=True, unsafe_hash=True)
class Outcome:
    """What became of one item, or of one record of an item that names several.

    ``outcome`` is recorded, late, duplicate, resync or unreadable; ``version`` is the event's version in its stream,
    for a duplicate that of the event which was there first.
    """

    index: int
    outcome: str
    entity: str = ""
    entity_id: str = ""
    version: int | None = None
    detail: str = ""

    def as_row(self) -> tuple[int, str, str, str, int | None, str]:
        """Return the values in order, as the delivery's row keeps them."""
        return (self.index, self.outcome, self.entity, self.entity_id, self.version, self.detail)
