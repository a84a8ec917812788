"""The aliases by which a generation serves, moved in one call."""

from dataclasses import dataclass
from typing import Any

from crm_projections.adapters.opensearch.catalogue import Entry
from crm_projections.adapters.opensearch.connection import LONG, WRITE_ATTEMPTS, Call, Connection
from crm_projections.adapters.opensearch.names import Names
from crm_projections.ports.read_model import ReadModelError

Action = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class AliasState:
    """Which indices of an entity there are, and the aliases of each."""

    public: str
    found: dict[str, frozenset[str]]

    @property
    def is_taken(self) -> bool:
        """Say whether an index, not an alias, has the name that others read by."""
        return self.public in self.found

    def having(self, alias: str) -> list[str]:
        """Return the indices that have an alias."""
        return [index for index, aliases in self.found.items() if alias in aliases]


@dataclass(frozen=True, slots=True)
class Aliases:
    """The aliases under one prefix."""

    connection: Connection
    names: Names

    def read(self, entity: str) -> AliasState:
        """Return how the aliases of an entity stand."""
        public = self.names.public(entity)
        call = Call("GET", f"/{public},{public}-*/_alias", params={"ignore_unavailable": "true"})
        answer = self.connection.call(call)
        return AliasState(public, {index: frozenset(found["aliases"]) for index, found in answer.items()})

    def index_of(self, entry: Entry) -> str | None:
        """Return the index that the aliases should point to."""
        return None if entry.serves is None else self.names.index(entry.entity, entry.serves)

    def are_right(self, entry: Entry, state: AliasState) -> bool:
        """Say whether the aliases point to the generation that serves, as far as its name is free."""
        return entry.serves is None or not self._actions(entry, state, take_over=False)

    def move(self, entry: Entry, *, take_over: bool = False) -> None:
        """Point the aliases to the generation that serves, in one step for all readers.

        ``take_over``: an index that has the name others read by is deleted in the same step. Otherwise it stays, and
        others go on reading it; this service reads by aliases of its own.

        :raises ReadModelError: the index of the generation is not there.
        """
        if entry.serves is None:
            return
        state = self.read(entry.entity)
        if self.index_of(entry) not in state.found:
            raise ReadModelError(
                f"The index {self.index_of(entry)} is gone, with the documents that {entry.entity} is served from."
                f" Next: restore it from a snapshot, or rebuild {entry.entity}."
            )
        if actions := self._actions(entry, state, take_over=take_over):
            call = Call("POST", "/_aliases", {"actions": actions}, timeout=LONG, attempts=WRITE_ATTEMPTS)
            self.connection.call(call)

    def _actions(self, entry: Entry, state: AliasState, *, take_over: bool) -> list[Action]:
        assert entry.serves is not None  # noqa: S101  # for the type checker: callers asked
        index = self.names.index(entry.entity, entry.serves)
        wanted = [self.names.serves(entry.entity, entry.serves), self.names.writes(entry.entity, entry.serves)]
        actions: list[Action] = []
        if take_over and state.is_taken:
            actions.append({"remove_index": {"index": state.public}})
        if take_over or not state.is_taken:
            wanted.append(state.public)
        for one in entry.listed:
            if one.number != entry.serves:
                alias = self.names.serves(entry.entity, one.number)
                actions += [_remove(held, alias) for held in state.having(alias)]
        actions += [_remove(held, state.public) for held in state.having(state.public) if held != index]
        missing = [alias for alias in wanted if alias not in state.found.get(index, ())]
        return actions + [{"add": {"index": index, "alias": alias}} for alias in missing]


def _remove(index: str, alias: str) -> Action:
    return {"remove": {"index": index, "alias": alias, "must_exist": False}}
