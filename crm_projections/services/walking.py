"""Walk every stream that a replay or rebuild is about, fold it from its first event, in bounded batches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crm_events.domain.errors import InvalidIdError
from crm_events.domain.heads import Head
from crm_events.domain.identifiers import StreamKey
from crm_events.ports.dead_letters import StreamFailure
from crm_events.ports.event_store import EventStore
from crm_projections.services.folding import FoldedStream, StreamReader, fold_stream, in_batches
from crm_projections.services.projector import failure_of

PAGE = 500
EVENTS_PER_BATCH = 5_000


@dataclass(frozen=True, slots=True)
class FoldedBatch:
    """Some streams, folded, and those that could not be; ``left_out`` were being written to and read too often."""

    folded: Sequence[FoldedStream]
    failures: Sequence[StreamFailure]
    left_out: Sequence[StreamKey] = ()


class StreamWalker:
    """Fold whole streams from raw events alone; no saved state is used."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._reader = StreamReader(store, use_saved_states=False)

    def pages(self, entity_name: str, cursor: str | None) -> Iterator[tuple[Sequence[Head], str | None]]:
        """Yield an entity's heads from a cursor on, with the cursor behind each page (``None`` at the end)."""
        while True:
            page = self._store.list_streams(entity_name, PAGE, cursor)
            yield page.heads, page.next_cursor
            cursor = page.next_cursor
            if cursor is None:
                return

    def count(self, entity_name: str) -> int:
        """Return how many streams an entity has, by walking over their heads."""
        return sum(len(heads) for heads, _ in self.pages(entity_name, None))

    def fold(self, heads: Sequence[Head]) -> Iterator[FoldedBatch]:
        """Fold streams, a bounded number of events at a time."""
        for batch in in_batches(heads, EVENTS_PER_BATCH):
            read = self._reader.read(batch)
            folded, failures = [], []
            for head in batch:
                if head.stream not in read:
                    continue
                try:
                    folded.append(fold_stream(head, *read[head.stream]))
                except Exception as error:  # noqa: BLE001  # one stream that cannot be folded must not end the walk
                    failures.append(failure_of(head.stream, "projection_failed", error))
            yield FoldedBatch(folded, failures, [head.stream for head in batch if head.stream not in read])


def stream_of(target: str) -> StreamKey | None:
    """Return the stream that a target such as ``Account#001...`` names, or ``None`` if it names none."""
    if "#" not in target:
        return None
    try:
        return StreamKey.parse(target)
    except InvalidIdError:
        return None
