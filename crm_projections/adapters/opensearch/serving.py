"""Which generation serves, known without asking: it is read by an alias that is gone once it does not serve."""

from collections.abc import Callable
from typing import TypeVar

from crm_projections.adapters.opensearch.errors import IndexMissingError
from crm_projections.adapters.opensearch.lifecycle import Lifecycle
from crm_projections.ports.read_model import Generation

T = TypeVar("T")
_MAX_ATTEMPTS = 20


class ServingGenerations:
    """The serving generation of each entity, as last seen by this process.

    A search needs the fields of the generation it asks. Remembering them saves a request, and cannot mislead: the
    alias named after the generation stops existing in the same step in which another one begins to serve.
    """

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle
        self._known: dict[str, Generation] = {}

    def ask(self, entity: str, run: Callable[[Generation, str], T]) -> T | None:
        """Run on the serving generation and its alias; ``None`` if none serves."""
        for _ in range(_MAX_ATTEMPTS):
            generation = self._known.get(entity) or self._look(entity)
            if generation is None:
                return None
            try:
                return run(generation, self._lifecycle.names.serves(entity, generation.number))
            except IndexMissingError:
                self._renew(entity, generation)
        raise IndexMissingError(f"Generations of {entity} came and went all the time.")

    def _look(self, entity: str) -> Generation | None:
        serving = self._lifecycle.read(entity).serving()
        if serving is not None:
            self._known[entity] = serving
        return serving

    def _renew(self, entity: str, asked: Generation) -> None:
        """Find the generation that serves by now; if it is the same one, its alias was lost and is put back."""
        self._known.pop(entity, None)
        now = self._look(entity)
        if now is not None and now.number == asked.number:
            self._lifecycle.restore(entity)
