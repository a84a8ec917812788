"""Fold streams, read in bulk, as far as their heads say, and tell what the unpublished events did to each record."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crm_events.domain.events import StoredEvent
from crm_events.domain.heads import Head, SavedState
from crm_events.domain.identifiers import StreamKey
from crm_events.ports.event_store import EventStore, ReadRequest
from crm_events.record import EMPTY, RecordState, fold, fold_fingerprint, load_state

_READ_TRIES = 3


# Not frozen, though nobody changes one: freezing makes each several times as costly, and every event makes one.
@dataclass(slots=True, unsafe_hash=True)
class Step:
    """What one unpublished event did, at its place in the fold: the state before it and after it."""

    event: StoredEvent
    before: RecordState
    after: RecordState


@dataclass(frozen=True, slots=True)
class FoldedStream:
    """A stream folded up to its head's version.

    ``published`` is the record as it was at the published version, ``current`` as it is now; ``steps`` are the
    events between, in fold order. ``newest`` is the event that arrived last and ``position`` the place of the last one
    in fold order; both are ``None`` and ``""`` only if nothing was read because a saved state stood at the head.
    """

    head: Head
    published: RecordState
    current: RecordState
    steps: Sequence[Step]
    newest: StoredEvent | None
    position: str
    base_version: int


@dataclass(frozen=True, slots=True)
class FoldBase:
    """Where a fold begins: a saved state, or nothing."""

    state: RecordState = EMPTY
    version: int = 0
    position: str = ""


class StreamReader:
    """Read streams in bulk, and fold them."""

    def __init__(self, store: EventStore, *, use_saved_states: bool) -> None:
        self._store = store
        self._use_saved_states = use_saved_states

    def read(self, heads: Sequence[Head]) -> dict[StreamKey, tuple[FoldBase, Sequence[StoredEvent]]]:
        """Return for each head where its fold begins and exactly the events that lead from there to its version.

        A saved state counts only if the events behind it number what is missing to the head's version: a late event
        in front of it makes the numbers differ, and then the whole stream is read. Streams whose numbers do not
        agree even then are left out; they stay pending.
        """
        bases = self._bases(heads) if self._use_saved_states else {}
        found: dict[StreamKey, tuple[FoldBase, Sequence[StoredEvent]]] = {}
        waiting = list(heads)
        for _ in range(_READ_TRIES):
            requests = [
                ReadRequest(head.stream, bases.get(head.stream, FoldBase()).position, head.version) for head in waiting
            ]
            events = self._store.read(requests)
            rest = []
            for head in waiting:
                base = bases.pop(head.stream, FoldBase())
                if len(events[head.stream]) == head.version - base.version:
                    found[head.stream] = (base, events[head.stream])
                else:
                    rest.append(head)
            waiting = rest
            if not waiting:
                break
        return found

    def _bases(self, heads: Sequence[Head]) -> dict[StreamKey, FoldBase]:
        fingerprint = fold_fingerprint()
        published = {head.stream: head.published_version for head in heads}
        return {
            stream: FoldBase(load_state(saved.body), saved.version, saved.position)
            for stream, saved in self._store.load_states(list(published)).items()
            # One that is newer than what was published cannot tell what the unpublished events changed.
            if saved.fingerprint == fingerprint and saved.version <= published[stream]
        }


def fold_stream(head: Head, base: FoldBase, events: Sequence[StoredEvent]) -> FoldedStream:
    """Fold events, in their order, on top of a base.

    One pass: up to the first unpublished event both records are the same; from there on the published one takes only
    what was published, which differs when an unpublished event is late.
    """
    current = base.state
    published: RecordState | None = None
    steps: list[Step] = []
    for event in events:
        before, current = current, fold(current, event.event)
        if event.version > head.published_version:
            published = before if published is None else published
            steps.append(Step(event, before, current))
        elif published is not None:
            published = fold(published, event.event)
    return FoldedStream(
        head=head,
        published=current if published is None else published,
        current=current,
        steps=steps,
        newest=max(events, key=lambda event: event.version, default=None),
        position=events[-1].position if events else base.position,
        base_version=base.version,
    )


def in_batches(heads: Iterable[Head], max_events: int) -> Iterable[list[Head]]:
    """Cut heads into batches whose whole streams hold a bounded number of events together."""
    batch: list[Head] = []
    size = 0
    for head in heads:
        if batch and size + head.version > max_events:
            yield batch
            batch, size = [], 0
        batch.append(head)
        size += head.version
    if batch:
        yield batch


def saved_state_of(folded: FoldedStream, body: bytes) -> SavedState:
    """Return what to keep of a fold, so that the next one begins here."""
    return SavedState(folded.head.stream, folded.head.version, folded.position, fold_fingerprint(), body)
