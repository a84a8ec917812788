"""Rebuild: a new generation of an entity's documents, filled from the whole log beside live changes, then switched."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from crm_events.ports.dead_letters import StreamFailure
from crm_events.running.runner import RunFailedError, RunSession
from crm_mappings.mapping import EntityMapping
from crm_projections.ports.read_model import (
    Comparison,
    Document,
    Generation,
    GenerationState,
    ReadModel,
    SaveOutcome,
    StoredDocument,
    UnknownGenerationError,
)
from crm_projections.services.projector import ProjectorPorts, refusal_of
from crm_projections.services.walking import FoldedBatch, StreamWalker, normalize

_REFUSALS_SHOWN = 3
MappingOfEntity = Callable[[str], EntityMapping | None]


class RebuildWorker:
    """Work runs of kind ``rebuild``: list a new generation, fill it, compare it with the serving one, switch.

    The cursor is ``{"generation": n, "after": stream cursor, "filled": bool}``. From the moment the generation is
    listed the projector writes to it too, so nothing that changes meanwhile is missed; versions keep the fill from
    overwriting newer documents. The old generation stays, and keeps being written to, until the next rebuild.
    """

    def __init__(self, ports: ProjectorPorts, mapping_of_entity: MappingOfEntity) -> None:
        self._ports = ports
        self._mapping_of_entity = mapping_of_entity
        self._walker = StreamWalker(ports.store)

    def work(self, session: RunSession) -> None:
        """Rebuild from where the cursor stands."""
        mapping = self._mapping_of_entity(session.run.target)
        if mapping is None:
            raise RunFailedError(f"There is no mapping for “{session.run.target}”. Next: name a mapped entity.")
        if session.cursor is None:
            self._begin(mapping, session)
        if not session.cursor["filled"]:
            self._fill(mapping, session)
        self._switch(mapping, session)

    def _begin(self, mapping: EntityMapping, session: RunSession) -> None:
        model = self._ports.read_model
        serving = model.ensure_serving(mapping.schema, mapping.fingerprint, session.now)
        for generation in model.generations(mapping.entity):
            if generation.number != serving.number:
                model.drop(mapping.entity, generation.number)
        made = model.create_generation(mapping.schema, mapping.fingerprint, session.now)
        session.cursor = {"generation": made.number, "after": None, "filled": False}
        session.save(f"Generation {made.number} is being filled.", total=self._walker.count(mapping.source))

    def _fill(self, mapping: EntityMapping, session: RunSession) -> None:
        for heads, cursor in self._walker.pages(mapping.source, session.cursor["after"]):
            for batch in self._walker.fold(heads):
                self._fill_batch(mapping, self._generation(mapping, session), batch, session)
                session.heartbeat()
            session.cursor = {**session.cursor, "after": cursor, "filled": cursor is None}
            session.save()

    def _generation(self, mapping: EntityMapping, session: RunSession) -> Generation:
        number = session.cursor["generation"]
        for generation in self._ports.read_model.generations(mapping.entity):
            if generation.number == number:
                if generation.state is GenerationState.FAILED:
                    raise RunFailedError(
                        f"Generation {number} could not take a live change and is not used; the old one still serves."
                        " Next: see the dead letters, then start the rebuild again."
                    )
                return generation
        raise RunFailedError(f"Generation {number} was dropped meanwhile. Next: start the rebuild again.")

    def _fill_batch(
        self, mapping: EntityMapping, generation: Generation, batch: FoldedBatch, session: RunSession
    ) -> None:
        made, failures = normalize(mapping, batch.folded, session.now)
        refused = self._save(generation, [one.document for one in made])
        # What parked a record already, a document that no generation takes, does not stop the others.
        parked = [one for one in made if one.folded.head.blocked and one.document.id in refused]
        failures += [refusal_of(one.folded.head.stream, refused.pop(one.document.id)) for one in parked]
        self._require_none(generation, refused)
        session.count("streams", batch.size)
        session.count("events", batch.events)
        session.count("documents", len(made) - len(parked))
        self._keep_old(generation, [*batch.failures, *failures], session)

    def _save(self, generation: Generation, documents: Sequence[Document]) -> dict[str, str]:
        """Save documents; return why some were refused, by id."""
        try:
            results = self._ports.read_model.save_many(generation, documents)
        except UnknownGenerationError as error:
            raise RunFailedError(
                f"Generation {generation.number} was dropped meanwhile. Next: start the rebuild again."
            ) from error
        return {result.id: result.error for result in results if result.outcome is SaveOutcome.REFUSED}

    def _require_none(self, generation: Generation, refused: Mapping[str, str]) -> None:
        if not refused:
            return
        self._ports.read_model.set_state(generation.entity, generation.number, GenerationState.FAILED)
        shown = "; ".join(f"{id_}: {error}" for id_, error in list(refused.items())[:_REFUSALS_SHOWN])
        raise RunFailedError(
            f"The new generation refused {len(refused)} documents ({shown}). The old one still serves."
            " Next: correct the values or the mapping, then start the rebuild again."
        )

    def _keep_old(self, generation: Generation, failures: Sequence[StreamFailure], session: RunSession) -> None:
        """Carry the old document over where a record can no longer be folded: old is better than missing."""
        if not failures:
            return
        ids = [failure.stream.entity_id for failure in failures]
        stored = self._ports.read_model.get_many(generation.entity, ids)
        self._require_none(generation, self._save(generation, [_restored(document) for document in stored.values()]))
        session.count("kept_old", len(failures))
        session.heartbeat(*(f"{failure.stream} keeps its old document. {failure.detail}" for failure in failures))

    def _switch(self, mapping: EntityMapping, session: RunSession) -> None:
        model = self._ports.read_model
        generation = self._generation(mapping, session)
        serving = next((g for g in model.generations(mapping.entity) if g.serves), None)
        if serving is not None and serving.number == generation.number:
            return  # a crash came between the switch and the end of the run
        if serving is not None:
            session.save(_in_words(compare(model, mapping.entity, serving.number, generation.number)))
            self._generation(mapping, session)  # comparing takes its time, and a live change may have failed meanwhile
        model.set_state(mapping.entity, generation.number, GenerationState.READY)
        try:
            model.switch(mapping.entity, generation.number)
        except UnknownGenerationError:
            self._generation(mapping, session)  # says so if a live change failed at the last moment
            raise
        old = f" Generation {serving.number} is kept for a way back." if serving else ""
        session.save(f"Generation {generation.number} serves.{old}")


def compare(model: ReadModel, entity: str, old: int, new: int) -> Comparison:
    """Compare two generations once everything saved so far can be seen."""
    model.refresh(entity)
    return model.compare(entity, old, new)


def _in_words(comparison: Comparison) -> str:
    text = (
        f"Compared with the serving generation: {comparison.same} the same, {comparison.different} changed,"
        f" {comparison.only_in_second} new, {comparison.only_in_first} no longer there."
    )
    examples = "; ".join(f"{kind}: {', '.join(ids)}" for kind, ids in comparison.examples.items() if ids)
    return f"{text} For example {examples}." if examples else text


def _restored(stored: StoredDocument) -> Document:
    values = stored.decode()
    meta = values.pop("_meta")
    return Document(
        id=stored.id,
        version=stored.version,
        order_key=meta["order_key"],
        complete=meta["complete"],
        mapping=meta["mapping"],
        projected_at=datetime.fromisoformat(meta["projected_at"]),
        values=values,
        issues=meta.get("issues", ()),
    )
