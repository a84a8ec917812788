"""The small row that says how far one stream has come."""

from dataclasses import dataclass, replace
from datetime import datetime

from crm_events.domain.identifiers import StreamKey


@dataclass(frozen=True, slots=True)
class Head:
    """How far one stream has come.

    ``version`` counts its events. ``newest_position`` is the place of its newest event in fold order.
    ``projected_version`` and ``published_version`` are the watermarks of the read model and the broadcast.
    ``pending_since`` is set while a watermark is behind. ``dirty`` asks for the record to be read again from
    Salesforce; ``blocked`` parks a stream that could not be projected until its dead letter is dealt with.
    """

    stream: StreamKey
    version: int
    newest_position: str
    projected_version: int = 0
    published_version: int = 0
    dirty: bool = False
    blocked: bool = False
    pending_since: datetime | None = None

    @property
    def is_pending(self) -> bool:
        """Say whether the read side has yet to catch up."""
        return not self.version == self.projected_version == self.published_version

    def moved(self, move: "Watermark") -> "Head":
        """Return the head as it is after a move: nothing goes backwards, and it waits no more once it caught up."""
        projected = max(self.projected_version, move.projected)
        published = max(self.published_version, move.published)
        speaks = move.dirty is not None and move.projected >= self.projected_version
        return replace(
            self,
            projected_version=projected,
            published_version=published,
            dirty=bool(move.dirty) if speaks else self.dirty,
            pending_since=None if self.version == projected == published else self.pending_since,
        )


@dataclass(frozen=True, slots=True)
class Watermark:
    """A wish to move the watermarks of a stream; they only ever move forwards.

    ``dirty`` is what the fold at ``projected`` found; it is written only while no newer version was projected.
    """

    stream: StreamKey
    projected: int = 0
    published: int = 0
    dirty: bool | None = None


@dataclass(frozen=True, slots=True)
class SavedState:
    """A folded record at some version, kept so that the next fold need not begin at the first event.

    ``position`` is the place of the last event folded into it, ``fingerprint`` names the code that folded it, and
    ``body`` is the record's state as JSON.
    """

    stream: StreamKey
    version: int
    position: str
    fingerprint: str
    body: bytes
