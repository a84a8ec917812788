"""The read model on OpenSearch."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from crm_events.ports.provisioning import Finding, Provisioned
from crm_mappings.schema import EntitySchema
from crm_projections.adapters.comparing import common_fields, compare_scans
from crm_projections.adapters.opensearch.aliases import Aliases
from crm_projections.adapters.opensearch.catalogue import Catalogue, Entry
from crm_projections.adapters.opensearch.connection import Call, Connection
from crm_projections.adapters.opensearch.credentials import Credentials, service_of
from crm_projections.adapters.opensearch.errors import IndexMissingError, error_of_part
from crm_projections.adapters.opensearch.layout import layout_of, stored_document
from crm_projections.adapters.opensearch.lifecycle import Lifecycle
from crm_projections.adapters.opensearch.names import Names
from crm_projections.adapters.opensearch.provisioning import Provisioning
from crm_projections.adapters.opensearch.searching import DocumentSearch, hits_in_pages
from crm_projections.adapters.opensearch.serving import ServingGenerations
from crm_projections.adapters.opensearch.settings import IndexSettings
from crm_projections.adapters.opensearch.writing import DocumentWriter
from crm_projections.ports.read_model import (
    Comparison,
    Document,
    Generation,
    GenerationState,
    ReadModel,
    SaveResult,
    SearchQuery,
    SearchResult,
    StoredDocument,
    UnknownGenerationError,
)

T = TypeVar("T")
_IDS_PER_CALL = 1_000


class OpenSearchReadModel(ReadModel, Provisioned):
    """Keep each generation in an index of its own, read and written by aliases that come and go with it.

    ``hosts`` are URLs. ``auth`` is ``none``, ``basic`` (``username``, ``password``) or ``aws``: requests are signed
    with the credentials that boto3 finds, for ``aws_service`` (``es``, ``aoss``; unless given, as the first host's name
    says). ``ca_certs`` is the file of a certificate authority of one's own. ``take_over``: ``switch`` deletes an index
    that has the name of an entity's alias, in the step that gives the name to the generation. ``shards`` and
    ``replicas`` are those of new generations; less than 0 replicas: one as soon as there is a second node.
    """

    def __init__(  # noqa: PLR0913  # the options of a setting, all by name
        self,
        *,
        hosts: Sequence[str] = ("http://127.0.0.1:9200",),
        index_prefix: str = "crm",
        auth: str = "none",
        username: str = "",
        password: str = "",
        ca_certs: str = "",
        aws_service: str = "",
        take_over: bool = False,
        shards: int = 1,
        replicas: int = -1,
    ) -> None:
        names, settings = Names(index_prefix), IndexSettings(shards, replicas)
        credentials = Credentials(auth, username, password, aws_service or service_of(hosts))
        self._connection = Connection(hosts, credentials, ca_certs)
        self._names = names
        catalogue, aliases = Catalogue(self._connection, names, settings), Aliases(self._connection, names)
        self._lifecycle = Lifecycle(self._connection, names, settings, catalogue, aliases, take_over)
        self._serving = ServingGenerations(self._lifecycle)
        self._provisioning = Provisioning(self._connection, names, settings, catalogue, aliases, take_over)

    def generations(self, entity: str) -> list[Generation]:
        """Return the entity's generations by number: one fetch by id."""
        return self._lifecycle.read(entity).generations()

    def ensure_serving(self, schema: EntitySchema, mapping: str, now: datetime) -> Generation:
        """Return the serving generation, made if there is none."""
        return self._lifecycle.ensure_serving(schema, mapping, now)

    def create_generation(self, schema: EntitySchema, mapping: str, now: datetime) -> Generation:
        """Make an empty generation that is to be filled; searches see nothing of it before it is ready."""
        return self._lifecycle.create(schema, mapping, now)

    def set_state(self, entity: str, number: int, state: GenerationState) -> None:
        """Record where a generation stands."""
        self._lifecycle.set_state(entity, number, state)

    def switch(self, entity: str, number: int) -> None:
        """Let a ready generation serve."""
        self._lifecycle.switch(entity, number)

    def drop(self, entity: str, number: int) -> None:
        """Remove a generation that does not serve."""
        self._lifecycle.drop(entity, number)

    def save_many(self, generation: Generation, documents: Sequence[Document]) -> list[SaveResult]:
        """Write documents in bulk requests."""
        return DocumentWriter(self._connection, self._names, generation).save(documents)

    def get_many(self, entity: str, ids: Sequence[str], number: int | None = None) -> dict[str, StoredDocument]:
        """Return the documents there are, what was just saved included."""
        if number is None:
            return self._serving.ask(entity, lambda _, alias: self._get(alias, ids)) or {}
        self._find(entity, number)
        return self._read(entity, number, lambda: self._get(self._names.index(entity, number), ids))

    def search(self, entity: str, query: SearchQuery) -> SearchResult:
        """Return a page from the serving generation."""

        def run(generation: Generation, alias: str) -> SearchResult:
            return self._search(alias, entity).search(query, layout_of(generation.fields))

        return self._serving.ask(entity, run) or SearchResult((), None, 0 if query.with_count else None)

    def scan(self, entity: str, number: int, page_size: int = 500) -> Iterator[Sequence[StoredDocument]]:
        """Yield all documents saved so far by id, as they are now."""
        self._find(entity, number)
        self._lifecycle.refresh(entity, [number])
        return self._pages(entity, number, page_size)

    def compare(self, entity: str, first: int, second: int) -> Comparison:
        """Compare two generations document by document."""
        fields = common_fields(self._find(entity, first), self._find(entity, second))
        return compare_scans(self.scan(entity, first), self.scan(entity, second), fields)

    def count_by_mapping(self, entity: str) -> dict[str, int]:
        """Count the serving generation's documents by mapping."""
        return self._serving.ask(entity, lambda _, alias: self._search(alias, entity).count_by_mapping()) or {}

    def refresh(self, entity: str) -> None:
        """Make everything saved so far visible in all generations."""
        self._lifecycle.refresh(entity, [generation.number for generation in self.generations(entity)])

    def ping(self) -> None:
        """Ask for the cluster's name."""
        self._connection.call(Call("GET", "/"))

    def verify(self) -> Sequence[Finding]:
        """Say how template, indices and aliases stand."""
        return self._provisioning.verify()

    def provision(self) -> Sequence[Finding]:
        """Make the template and the list of generations, put settings and aliases right."""
        return self._provisioning.provision()

    def _search(self, alias: str, entity: str) -> DocumentSearch:
        return DocumentSearch(self._connection, alias, copy=entity)

    def _find(self, entity: str, number: int) -> Generation:
        entry: Entry = self._lifecycle.read(entity)
        return entry.generation(entry.find(number))

    def _read(self, entity: str, number: int, run: Callable[[], T]) -> T:
        try:
            return run()
        except IndexMissingError as error:
            raise UnknownGenerationError(entity, number, "it was dropped") from error

    def _pages(self, entity: str, number: int, size: int) -> Iterator[Sequence[StoredDocument]]:
        pages = hits_in_pages(self._connection, self._names.index(entity, number), size)
        while (hits := self._read(entity, number, lambda: next(pages, None))) is not None:
            yield [_stored(hit) for hit in hits]

    def _get(self, index: str, ids: Sequence[str]) -> dict[str, StoredDocument]:
        found: dict[str, StoredDocument] = {}
        for start in range(0, len(ids), _IDS_PER_CALL):
            body = {"ids": list(ids[start : start + _IDS_PER_CALL])}
            for hit in self._connection.call(Call("POST", f"/{index}/_mget", body))["docs"]:
                if "error" in hit:
                    raise error_of_part(hit["error"], self._connection.where)
                if hit["found"]:
                    found[hit["_id"]] = _stored(hit)
        return found


def _stored(hit: dict[str, Any]) -> StoredDocument:
    return stored_document(hit["_id"], hit["_source"])
