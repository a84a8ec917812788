"""What the read model needs in OpenSearch: index template, list of generations, settings and aliases of indices."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_events.ports.provisioning import Condition, Finding
from crm_projections.adapters.opensearch.aliases import Aliases
from crm_projections.adapters.opensearch.catalogue import Catalogue, Entry, Listed, fields_from
from crm_projections.adapters.opensearch.connection import LONG, WRITE_ATTEMPTS, Call, Connection
from crm_projections.adapters.opensearch.errors import NOT_FOUND
from crm_projections.adapters.opensearch.layout import mapping_of
from crm_projections.adapters.opensearch.names import Names
from crm_projections.adapters.opensearch.settings import REFRESH_INTERVAL, IndexSettings
from crm_projections.ports.read_model import GenerationState

_PRIORITY = 500  # above the templates that clusters come with
READY, MISSING, DIFFERENT = Condition.READY, Condition.MISSING, Condition.DIFFERENT
CREATED, CHANGED = Condition.CREATED, Condition.CHANGED
_BLOCKS = ("blocks.read_only_allow_delete", "blocks.read_only", "blocks.write")


@dataclass(frozen=True, slots=True)
class Provisioning:
    """The things under one prefix."""

    connection: Connection
    names: Names
    settings: IndexSettings
    catalogue: Catalogue
    aliases: Aliases
    take_over: bool

    def verify(self) -> Sequence[Finding]:
        """Say how everything stands; change nothing."""
        return list(self._findings(change=False))

    def provision(self) -> Sequence[Finding]:
        """Create what is missing, change what can be changed safely."""
        return list(self._findings(change=True))

    def _findings(self, *, change: bool) -> Iterator[Finding]:
        yield self._cluster()
        yield self._template(change=change)
        yield self._catalogue(change=change)
        indices = self._indices()
        entries = self.catalogue.all()
        for entry in entries:
            for listed in entry.listed:
                yield self._index(entry, listed, indices, change=change)
            yield self._aliases(entry, change=change)
        yield from self._strangers(entries, indices)

    def _cluster(self) -> Finding:
        health = self.connection.call(Call("GET", "/_cluster/health"))
        subject = f"cluster {health['cluster_name']}"
        if health["status"] == "red":
            return Finding(subject, DIFFERENT, "It is red: some data cannot be reached. See that all its nodes run.")
        if health["status"] == "yellow":
            return Finding(subject, READY, "It is yellow: some copies of data have no node to be on.")
        return Finding(subject, READY)

    def _template(self, *, change: bool) -> Finding:
        subject, path = f"index template {self.names.template}", f"/_index_template/{self.names.template}"
        wanted = self._wanted_template()
        answer = self.connection.call(Call("GET", path, accept=(NOT_FOUND,)))
        found = answer.get("index_templates")
        if found and _has(found[0]["index_template"], wanted):
            return Finding(subject, READY)
        if change:
            self.connection.call(Call("PUT", path, wanted, timeout=LONG, attempts=WRITE_ATTEMPTS))
            return Finding(subject, CHANGED if found else CREATED)
        return Finding(subject, DIFFERENT, "It was changed by hand.") if found else Finding(subject, MISSING)

    def _wanted_template(self) -> dict[str, Any]:
        # Indices are made whole by the service. The template is for those that a stray write would make: they take no
        # field, so the write is refused instead of being lost where nobody looks.
        return {
            "index_patterns": [self.names.pattern],
            "priority": _PRIORITY,
            "template": {
                "settings": {"index": self.settings.kept(0)},
                "mappings": {"dynamic": "strict"},
            },
        }

    def _catalogue(self, *, change: bool) -> Finding:
        subject = f"index {self.names.generations}"
        answer = self.connection.call(Call("GET", f"/{self.names.generations}/_settings", accept=(NOT_FOUND,)))
        if "error" not in answer:
            return Finding(subject, READY)
        if change and self.catalogue.ensure_index():
            return Finding(subject, CREATED)
        return Finding(subject, READY if change else MISSING)

    def _indices(self) -> Mapping[str, Any]:
        call = Call("GET", f"/{self.names.pattern}", params={"flat_settings": "true"})
        found: Mapping[str, Any] = self.connection.call(call)
        return found

    def _index(self, entry: Entry, listed: Listed, indices: Mapping[str, Any], *, change: bool) -> Finding:
        name = self.names.index(entry.entity, listed.number)
        subject, found = f"index {name}", indices.get(name)
        if found is None:
            return Finding(subject, MISSING, f"Its documents are gone. Restore a snapshot, or rebuild {entry.entity}.")
        if not _has(found["mappings"], mapping_of(fields_from(listed.fields))):
            return Finding(subject, DIFFERENT, f"Its mapping is not the service's. Rebuild {entry.entity}.")
        settings = found["settings"]
        if blocks := [block for block in _BLOCKS if settings.get(f"index.{block}") == "true"]:
            return Finding(subject, DIFFERENT, f"It takes no writes ({', '.join(blocks)}). Make room on the disks.")
        drift = _drift(settings, self._kept(listed))
        if not drift:
            return Finding(subject, READY)
        if change:
            self.connection.call(Call("PUT", f"/{name}/_settings", drift, timeout=LONG, attempts=WRITE_ATTEMPTS))
            return Finding(subject, CHANGED, f"Set {_shown(drift)}.")
        return Finding(subject, DIFFERENT, f"It should have {_shown(drift)}.")

    def _kept(self, listed: Listed) -> dict[str, str]:
        kept = self.settings.kept(len(fields_from(listed.fields)) * 4)
        is_read = listed.state is GenerationState.READY
        return {**kept, "refresh_interval": REFRESH_INTERVAL} if is_read else kept

    def _aliases(self, entry: Entry, *, change: bool) -> Finding:
        subject, state = f"alias {self.names.public(entry.entity)}", self.aliases.read(entry.entity)
        is_right = self.aliases.are_right(entry, state)
        if not is_right and self.aliases.index_of(entry) not in state.found:
            return Finding(subject, DIFFERENT, "The index it should point to is gone.")
        if not is_right and not change:
            return Finding(subject, DIFFERENT, "It does not point to the generation that serves.")
        if not is_right:
            self.aliases.move(entry)
        if state.is_taken:
            return self._taken(subject, entry)
        return Finding(subject, READY if is_right else CHANGED)

    def _taken(self, subject: str, entry: Entry) -> Finding:
        how = f"Run a rebuild of {entry.entity}" if self.take_over else "Set OPENSEARCH_TAKE_OVER=true and rebuild"
        return Finding(
            subject,
            DIFFERENT,
            "An index has this name. The service does not need it and leaves it alone; whoever reads by the name sees"
            f" that index. To delete it and give the name to the service's documents: {how}.",
        )

    def _strangers(self, entries: Sequence[Entry], indices: Mapping[str, Any]) -> Iterator[Finding]:
        ours = {self.names.index(entry.entity, one.number) for entry in entries for one in entry.listed}
        public = {self.names.public(entry.entity) for entry in entries}
        for name in sorted(indices.keys() - ours - public):
            if indices[name]["mappings"].get("_meta", {}).get("uid"):
                detail = "It is in no list: an interrupted rebuild left it. Delete it if no rebuild is running."
            else:
                detail = "It is not the service's, but its name begins like the service's. It is left alone."
            yield Finding(f"index {name}", READY, detail)


def _has(found: Any, wanted: Any) -> bool:
    """Say whether everything that is wanted is there, whatever else is."""
    if isinstance(wanted, Mapping):
        return all(_has(_at(found, key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(_has, found, wanted))
    return _text(found) == _text(wanted)


def _at(found: Any, key: str) -> Any:
    # The engine splits keys with dots when it keeps them.
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _text(value: Any) -> str:
    return str(value).lower()


def _drift(found: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    return {f"index.{key}": value for key, value in wanted.items() if found.get(f"index.{key}") != value}


def _shown(drift: Mapping[str, str]) -> str:
    return ", ".join(f"{key} = {value}" for key, value in drift.items())
