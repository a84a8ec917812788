"""The life of generations: listed, made, switched, dropped; safe for several processes at once.

The list decides (see ``catalogue``). Indices are made before they are listed and deleted after they are not any more;
aliases follow the list, and whoever sees that they do not lets them.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import uuid4

from crm_mappings.schema import EntitySchema
from crm_projections.adapters.opensearch.aliases import Aliases
from crm_projections.adapters.opensearch.catalogue import Catalogue, Entry, Listed, create_index, fields_to
from crm_projections.adapters.opensearch.connection import LONG, WRITE_ATTEMPTS, Call, Connection
from crm_projections.adapters.opensearch.errors import NOT_FOUND
from crm_projections.adapters.opensearch.layout import mapping_of
from crm_projections.adapters.opensearch.names import Names
from crm_projections.adapters.opensearch.settings import REFRESH_INTERVAL, IndexSettings
from crm_projections.ports.read_model import Generation, GenerationState, ReadModelError, UnknownGenerationError

_MAX_ATTEMPTS = 50
READY, FILLING, FAILED = GenerationState.READY, GenerationState.FILLING, GenerationState.FAILED


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The generations under one prefix. ``take_over``: see ``switch``."""

    connection: Connection
    names: Names
    settings: IndexSettings
    catalogue: Catalogue
    aliases: Aliases
    take_over: bool

    def read(self, entity: str) -> Entry:
        """Return the entity's entry, with the aliases behind it."""
        entry = self.catalogue.read(entity)
        return entry if entry.aliased == entry.serves else self._follow(entry)

    def restore(self, entity: str) -> None:
        """Put aliases back that someone removed.

        :raises ReadModelError: the index of the serving generation is gone too.
        """
        self._follow(self.catalogue.read(entity))

    def ensure_serving(self, schema: EntitySchema, mapping: str, now: datetime) -> Generation:
        """Return the serving generation, made if there is none."""
        entry = self.read(schema.entity)
        return entry.serving() or self._create_serving(schema, mapping, now)

    def create(self, schema: EntitySchema, mapping: str, now: datetime) -> Generation:
        """Make a generation that is to be filled: its number is taken first, its index made next, and then listed."""
        made = _listed(schema, mapping, now, FILLING)
        for _ in range(_MAX_ATTEMPTS):
            taken = self.catalogue.change(
                schema.entity, lambda entry: replace(entry, last_number=entry.last_number + 1)
            )
            made = replace(made, number=taken.last_number)
            if self._make_index(schema, made).get("uid") != made.uid:
                continue  # what an interrupted rebuild left behind has this number
            entry = self.catalogue.change(schema.entity, partial(_with, made=made))
            return self._followed(entry, made.uid)
        raise ReadModelError(f"No number was free for a new generation of {schema.entity}.")

    def set_state(self, entity: str, number: int, state: GenerationState) -> None:
        """Record where a generation stands; one that failed stays so."""
        self.catalogue.read(entity).find(number)
        if state is READY:  # first, so that no ready generation is left that searches would see nothing new of
            self._set_refresh(entity, number)

        def change(entry: Entry) -> Entry:
            if entry.serves == number and state is FAILED:
                raise UnknownGenerationError(entity, number, "it serves; it cannot fail any more")
            return entry if entry.find(number).state is FAILED else entry.with_state(number, state)

        self.catalogue.change(entity, change)

    def switch(self, entity: str, number: int) -> None:
        """Let a ready generation serve; with ``take_over`` also by a name that an index still has, which is deleted.

        What was saved into it so far is made visible first.
        """

        def change(entry: Entry) -> Entry:
            if entry.find(number).state is not READY:
                raise UnknownGenerationError(entity, number, "it is not ready")
            return replace(entry, serves=number, aliased=entry.aliased if entry.serves == number else None)

        change(self.catalogue.read(entity))
        self.refresh(entity, [number])
        self._follow(self.catalogue.change(entity, change), take_over=self.take_over)

    def drop(self, entity: str, number: int) -> None:
        """Remove a generation that does not serve, and its index."""
        entry = self.read(entity)  # the aliases point elsewhere from here on
        if not entry.has(number) and number > entry.last_number:
            return  # never listed: perhaps being made

        def change(entry: Entry) -> Entry:
            if entry.serves == number:
                raise UnknownGenerationError(entity, number, "it serves; let another one serve first")
            return replace(entry, listed=tuple(one for one in entry.listed if one.number != number))

        self.catalogue.change(entity, change)
        self._delete_index(self.names.index(entity, number))

    def refresh(self, entity: str, numbers: list[int]) -> None:
        """Make what was saved into generations visible."""
        if numbers:
            indices = ",".join(self.names.index(entity, number) for number in numbers)
            self.connection.call(
                Call("POST", f"/{indices}/_refresh", params={"ignore_unavailable": "true"}, timeout=LONG)
            )

    def _create_serving(self, schema: EntitySchema, mapping: str, now: datetime) -> Generation:
        """Make the first generation; whoever races for it makes, or finds, the same index, and one lists it."""
        made = _listed(schema, mapping, now, READY)
        for _ in range(_MAX_ATTEMPTS):
            entry = self.read(schema.entity)
            if serving := entry.serving():
                return serving
            indexed = self._make_or_find_index(schema, replace(made, number=entry.last_number + 1))
            entry = self.catalogue.change(schema.entity, partial(_with_serving, made=indexed))
            if entry.has_uid(indexed.uid):
                return self._followed(entry, indexed.uid)
            if indexed.uid == made.uid:
                self._delete_index(self.names.index(schema.entity, indexed.number))
        raise ReadModelError(f"No number was free for a new generation of {schema.entity}.")

    def _make_or_find_index(self, schema: EntitySchema, listed: Listed) -> Listed:
        """Make an index of the next free number, or take one of it that was made for the same and is not listed.

        Its maker is about to list it too, or died.
        """
        for number in range(listed.number, listed.number + _MAX_ATTEMPTS):
            listed = replace(listed, number=number)
            found = self._make_index(schema, listed)
            if (found.get("fields"), found.get("mapping")) == (listed.fields, listed.mapping):
                return replace(listed, uid=found["uid"])
        raise ReadModelError(f"No number was free for a new generation of {schema.entity}.")

    def _make_index(self, schema: EntitySchema, listed: Listed) -> dict[str, str]:
        """Make the index of a generation unless there is one; return what the one there says of itself."""
        name, meta = self.names.index(schema.entity, listed.number), _meta_of(schema.entity, listed)
        mapping = mapping_of(schema.fields) | {"_meta": meta}
        body = {
            "settings": self.settings.of_generation(len(schema.fields) * 4, refreshed=listed.state is READY),
            "mappings": mapping,
            "aliases": {self.names.writes(schema.entity, listed.number): {}},
        }
        if create_index(self.connection, name, body):
            return meta
        answer = self.connection.call(Call("GET", f"/{name}/_mapping", accept=(NOT_FOUND,)))
        found: dict[str, str] = answer.get(name, {}).get("mappings", {}).get("_meta", {})
        return found

    def _followed(self, entry: Entry, uid: str) -> Generation:
        if entry.aliased != entry.serves:
            entry = self._follow(entry)
        return next(entry.generation(one) for one in entry.listed if one.uid == uid)

    def _follow(self, entry: Entry, *, take_over: bool = False) -> Entry:
        """Let the aliases follow the list, and once more if the list went on meanwhile."""
        for _ in range(_MAX_ATTEMPTS):
            self.aliases.move(entry, take_over=take_over)
            moved = entry.serves

            def change(entry: Entry, moved: int | None = moved) -> Entry:
                return replace(entry, aliased=moved) if entry.serves == moved else entry

            entry = self.catalogue.change(entry.entity, change)
            # Not by ``aliased``: someone faster may have noted another one before these aliases were moved.
            if entry.serves == moved:
                return entry
        raise ReadModelError(f"Generations of {entry.entity} were switched all the time.")

    def _set_refresh(self, entity: str, number: int) -> None:
        body = {"index": {"refresh_interval": REFRESH_INTERVAL}}
        path = f"/{self.names.index(entity, number)}/_settings"
        self.connection.call(
            Call("PUT", path, body, accept=(NOT_FOUND,), timeout=LONG, attempts=WRITE_ATTEMPTS, repeat_on_timeout=True)
        )

    def _delete_index(self, name: str) -> None:
        self.connection.call(Call("DELETE", f"/{name}", accept=(NOT_FOUND,), timeout=LONG, attempts=WRITE_ATTEMPTS))


def _listed(schema: EntitySchema, mapping: str, now: datetime, state: GenerationState) -> Listed:
    return Listed(0, uuid4().hex, fields_to(schema.fields), mapping, state, now.isoformat())


def _meta_of(entity: str, listed: Listed) -> dict[str, str]:
    return {"uid": listed.uid, "entity": entity, "fields": listed.fields, "mapping": listed.mapping}


def _with_number_taken(entry: Entry) -> Entry:
    return replace(entry, last_number=entry.last_number + 1)


def _with(entry: Entry, made: Listed) -> Entry:
    """Return the entry with a generation added, once."""
    if entry.has_uid(made.uid):
        return entry
    listed = sorted([*entry.listed, made], key=lambda one: one.number)
    return replace(entry, listed=tuple(listed), last_number=max(entry.last_number, made.number))


def _with_serving(entry: Entry, made: Listed) -> Entry:
    """Return the entry with a generation that serves, unless one does or its number is another's by now."""
    if entry.serves is not None or entry.last_number >= made.number:
        return entry
    return replace(_with(entry, made), serves=made.number)
