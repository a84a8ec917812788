"""Documents into every generation that takes writes."""

from collections.abc import Sequence
from datetime import datetime

from crm_mappings.mapping import EntityMapping
from crm_projections.ports.read_model import (
    Document,
    Generation,
    GenerationState,
    ReadModel,
    SaveOutcome,
    UnknownGenerationError,
)


def save_everywhere(
    read_model: ReadModel, mapping: EntityMapping, documents: Sequence[Document], now: datetime
) -> dict[str, str]:
    """Save documents of one entity; return why the serving generation refused some of them, by id.

    A refusal by another generation fails that generation, never the record. Call this after the fold: a generation
    made since is filled by whoever made it, from a log that already had these events.
    """
    try:
        return _save_to_listed(read_model, mapping, documents, now)
    except UnknownGenerationError:
        # Between the list and the write another one was switched to, and the old one dropped: list again.
        return _save_to_listed(read_model, mapping, documents, now)


def _save_to_listed(
    read_model: ReadModel, mapping: EntityMapping, documents: Sequence[Document], now: datetime
) -> dict[str, str]:
    generations = read_model.generations(mapping.entity)
    if not any(generation.serves for generation in generations):
        read_model.ensure_serving(mapping.schema, mapping.fingerprint, now)
        generations = read_model.generations(mapping.entity)
    refused: dict[str, str] = {}
    for generation in generations:
        if generation.state is not GenerationState.FAILED:
            refused |= _save_to(read_model, generation, documents)
    return refused


def _save_to(read_model: ReadModel, generation: Generation, documents: Sequence[Document]) -> dict[str, str]:
    try:
        results = read_model.save_many(generation, documents)
    except UnknownGenerationError:
        if generation.serves:
            raise
        return {}  # dropped meanwhile: nobody will miss them there
    refused = {result.id: result.error for result in results if result.outcome is SaveOutcome.REFUSED}
    if generation.serves:
        return refused
    if refused:
        # Unknown: it was dropped, or serves by now, and then its refusals count. The list tells.
        read_model.set_state(generation.entity, generation.number, GenerationState.FAILED)
    return {}
