"""The list of an entity's generations: one small document that is only changed by whoever read its newest form."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson

from crm_mappings.schema import FieldKind, FieldSpec
from crm_projections.adapters.opensearch.connection import LONG, WRITE_ATTEMPTS, Call, Connection, pause
from crm_projections.adapters.opensearch.errors import CONFLICT, NOT_FOUND
from crm_projections.adapters.opensearch.names import Names
from crm_projections.adapters.opensearch.settings import IndexSettings
from crm_projections.ports.read_model import Generation, GenerationState, ReadModelError, UnknownGenerationError

_MAX_ATTEMPTS = 50
MAPPING = {"dynamic": False, "properties": {"entity": {"type": "keyword"}}}


@dataclass(frozen=True, slots=True)
class Listed:
    """A generation as it is listed; ``uid`` tells its index from another one of the same name."""

    number: int
    uid: str
    fields: str
    mapping: str
    state: GenerationState
    created_at: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of an entity's generations.

    ``serves`` decides which one serves; ``aliased`` is the one that the aliases were seen to point to. They differ
    only while, or because whoever was, moving the aliases. ``last_number`` outlives dropped generations.
    """

    entity: str
    serves: int | None = None
    aliased: int | None = None
    last_number: int = 0
    listed: tuple[Listed, ...] = ()
    revision: dict[str, int] = field(default_factory=dict, compare=False)

    def find(self, number: int) -> Listed:
        """Return a listed generation.

        :raises UnknownGenerationError: there is none of this number.
        """
        for one in self.listed:
            if one.number == number:
                return one
        raise UnknownGenerationError(self.entity, number)

    def has(self, number: int) -> bool:
        """Say whether a generation of this number is listed."""
        return any(one.number == number for one in self.listed)

    def has_uid(self, uid: str) -> bool:
        """Say whether this very generation is listed."""
        return any(one.uid == uid for one in self.listed)

    def generation(self, one: Listed) -> Generation:
        """Return a listed generation as the port knows it."""
        return Generation(
            entity=self.entity,
            number=one.number,
            fields=fields_from(one.fields),
            mapping=one.mapping,
            state=one.state,
            serves=one.number == self.serves,
            created_at=datetime.fromisoformat(one.created_at),
        )

    def generations(self) -> list[Generation]:
        """Return all listed generations by number."""
        return [self.generation(one) for one in self.listed]

    def serving(self) -> Generation | None:
        """Return the generation that serves."""
        return None if self.serves is None else self.generation(self.find(self.serves))

    def with_state(self, number: int, state: GenerationState) -> "Entry":
        """Return the entry with another state of a generation."""
        return replace(
            self, listed=tuple(replace(one, state=state) if one.number == number else one for one in self.listed)
        )


Change = Callable[[Entry], Entry]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The entries of all entities under one prefix; nothing is cached, a read is a fetch by id."""

    connection: Connection
    names: Names
    settings: IndexSettings

    def read(self, entity: str) -> Entry:
        """Return the entity's entry, an empty one if there is none."""
        self.names.public(entity)  # refuses what cannot be a name
        # From the primary: a copy that was cut off must not answer.
        call = Call("GET", self._path(entity), params={"preference": "_primary"}, accept=(NOT_FOUND,))
        answer = self.connection.call(call)
        return _entry(answer) if answer.get("found") else Entry(entity)

    def all(self) -> list[Entry]:
        """Return all entries there are."""
        body = {"size": 10_000, "query": {"match_all": {}}, "sort": ["entity"], "seq_no_primary_term": True}
        self.connection.call(Call("POST", f"/{self.names.generations}/_refresh", params={"ignore_unavailable": "true"}))
        path = f"/{self.names.generations}/_search"
        answer = self.connection.call(Call("POST", path, body, {"ignore_unavailable": "true"}))
        return [_entry(hit) for hit in answer["hits"]["hits"]]

    def change(self, entity: str, change: Change) -> Entry:
        """Change an entry as it is now, again if someone else was faster; the change must be fit to be repeated."""
        for attempt in range(_MAX_ATTEMPTS):
            entry = self.read(entity)
            changed = change(entry)
            if changed == entry or self.write(changed):
                return changed
            pause(min(attempt, 2))
        raise ReadModelError(f"The list of generations of {entity} was changed by others all the time.")

    def write(self, entry: Entry) -> bool:
        """Replace the entry that was read, unless it was changed since; say whether it was replaced."""
        if not entry.revision:
            self.ensure_index()
        params: dict[str, Any] = {**entry.revision} or {"op_type": "create"}
        call = Call("PUT", self._path(entry.entity), _body(entry), params, (CONFLICT,), LONG, WRITE_ATTEMPTS)
        return "error" not in self.connection.call(call)

    def ensure_index(self) -> bool:
        """Make the index if there is none; say whether it was made."""
        body = {"settings": self.settings.of_catalogue(), "mappings": MAPPING}
        return create_index(self.connection, self.names.generations, body)

    def _path(self, entity: str) -> str:
        return f"/{self.names.generations}/_doc/{entity}"


def create_index(connection: Connection, name: str, body: dict[str, Any]) -> bool:
    """Make an index unless there is one of the name; say whether it was made."""
    answer = connection.call(Call("PUT", f"/{name}", body, accept=(400,), timeout=LONG, attempts=WRITE_ATTEMPTS))
    error = answer.get("error")
    if error is None:
        return True
    if error["type"] == "resource_already_exists_exception":
        return False
    raise ReadModelError(f"OpenSearch does not make the index {name}: {error['reason']}.")


def fields_to(fields: tuple[FieldSpec, ...]) -> str:
    """Return fields as one text."""
    return orjson.dumps([[spec.name, spec.kind.value, spec.name_like] for spec in fields]).decode()


@lru_cache(maxsize=256)
def fields_from(text: str) -> tuple[FieldSpec, ...]:
    """Return the fields of such a text."""
    return tuple(FieldSpec(name, FieldKind(kind), name_like) for name, kind, name_like in orjson.loads(text))


def _entry(found: dict[str, Any]) -> Entry:
    source = found["_source"]
    return Entry(
        entity=source["entity"],
        serves=source["serves"],
        aliased=source["aliased"],
        last_number=source["last_number"],
        listed=tuple(Listed(**{**one, "state": GenerationState(one["state"])}) for one in source["generations"]),
        revision={"if_seq_no": found["_seq_no"], "if_primary_term": found["_primary_term"]},
    )


def _body(entry: Entry) -> dict[str, Any]:
    return {
        "entity": entry.entity,
        "serves": entry.serves,
        "aliased": entry.aliased,
        "last_number": entry.last_number,
        "generations": [
            {
                "number": one.number,
                "uid": one.uid,
                "fields": one.fields,
                "mapping": one.mapping,
                "state": one.state.value,
                "created_at": one.created_at,
            }
            for one in entry.listed
        ],
    }
