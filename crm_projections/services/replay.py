"""Replay: fold streams again from raw events with today's mapping, and save what comes out."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from crm_events.domain.heads import Head
from crm_events.folding import FoldedStream
from crm_events.running.runner import RunFailedError, RunSession
from crm_mappings.mapping import EntityMapping
from crm_projections.ports.read_model import (
    Document,
    StoredDocument,
)
from crm_projections.services.messages import replay_message
from crm_projections.services.projector import ProjectorPorts
from crm_projections.services.saving import save_everywhere
from crm_projections.services.walking import FoldedBatch, Normalized, StreamWalker, normalize, stream_of


class ReplayWorker:
    """Work runs of kind ``replay``.

    Target: a stream, a Salesforce object, or empty for everything. With ``dry_run`` nothing is written, and the counts
    and log say what would change. Watermarks are not touched; messages go out only with ``broadcast``, marked.
    """

    def __init__(self, ports: ProjectorPorts) -> None:
        self._ports = ports
        self._walker = StreamWalker(ports.store)

    def work(self, session: RunSession) -> None:
        """Replay from where the cursor stands: ``[object, stream cursor]``."""
        if session.run.total is None:
            session.save(total=self._total(session.run.target))
        for heads, cursor in self._pages(session):
            for batch in self._walker.fold(heads):
                self._replay(batch, session)
                session.heartbeat()
            session.cursor = cursor
            session.save()

    def _entities(self, target: str) -> list[str]:
        return [target] if target else self._ports.store.entity_names()

    def _total(self, target: str) -> int:
        if stream := stream_of(target):
            return len(self._ports.store.heads([stream]))
        return sum(self._walker.count(name) for name in self._entities(target))

    def _pages(self, session: RunSession) -> Iterator[tuple[Sequence[Head], list[str | None] | None]]:
        if stream := stream_of(session.run.target):
            yield list(self._ports.store.heads([stream]).values()), None
            return
        done, after = session.cursor or ("", None)
        for name in self._entities(session.run.target):
            if name < done or (name == done and after is None):
                continue  # done before the run was interrupted
            for heads, cursor in self._walker.pages(name, after if name == done else None):
                yield heads, [name, cursor]

    def _replay(self, batch: FoldedBatch, session: RunSession) -> None:
        session.count("streams", batch.size)
        session.count("failed", len(batch.failures))
        session.count("events", batch.events)
        by_source: dict[str, list[FoldedStream]] = defaultdict(list)
        for folded in batch.folded:
            by_source[folded.head.stream.entity_name].append(folded)
        for source, streams in by_source.items():
            mapping = self._ports.mapping_of(source)
            if mapping is not None:
                made, failures = normalize(mapping, streams, session.now)
                session.count("failed", len(failures))
                self._replay_entity(mapping, made, session)

    def _replay_entity(self, mapping: EntityMapping, made: Sequence[Normalized], session: RunSession) -> None:
        self._compare(mapping.entity, made, session)
        if not session.run.parameters.get("dry_run"):
            documents = [one.document for one in made]
            refused = save_everywhere(self._ports.read_model, mapping, documents, session.now)
            session.count("refused", len(refused))
            self._broadcast(made, session)

    def _compare(self, entity: str, made: Sequence[Normalized], session: RunSession) -> None:
        stored = self._ports.read_model.get_many(entity, [one.document.id for one in made])
        for one in made:
            change = describe_change(stored.get(one.document.id), one.document)
            session.count(change or "unchanged")

    def _broadcast(self, made: Sequence[Normalized], session: RunSession) -> None:
        if not session.run.parameters.get("broadcast"):
            return
        messages = [replay_message(one.mapping, one.folded, one.document, session.run.id) for one in made]
        results = self._ports.broadcaster.publish(messages)
        failed = [result for result in results if result.error]
        session.count("sent", len(results) - len(failed))
        if failed:
            raise RunFailedError(
                f"{len(failed)} messages were not taken, the first with: {failed[0].error}."
                " Next: have the broadcast mended, then start the replay again; consumers ignore what they know."
            )


def describe_change(stored: StoredDocument | None, document: Document) -> str:
    """Return ``created``, ``changed``, or an empty text if the stored document says the same."""
    if stored is None:
        return "created"
    values = stored.decode()
    meta = values.pop("_meta")
    same = values == dict(document.values) and meta["complete"] == document.complete
    return "" if same else "changed"
