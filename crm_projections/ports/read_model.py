"""The queryable store of normalized documents, in generations."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson

from crm_events.domain.errors import CrmError, EngineUnavailableError
from crm_mappings.schema import EntitySchema, FieldSpec

# Counts are exact up to here and a lower bound beyond; offsets reach no further (see the API's fixed points).
EXACT_COUNT_LIMIT = 10_000


class ReadModelError(CrmError):
    """Base of the errors of a read model."""


class ReadModelUnavailableError(ReadModelError, EngineUnavailableError):
    """The read model does not answer or refuses for now; the same call may succeed later."""


class UnknownGenerationError(ReadModelError):
    """The entity has no such generation, or it cannot be used so: ``reason`` says which."""

    def __init__(self, entity: str, number: int, reason: str = "it does not exist") -> None:
        super().__init__(entity, number, reason)
        self.entity = entity
        self.number = number
        self.reason = reason

    def __str__(self) -> str:
        return f"Generation {self.number} of {self.entity} cannot be used: {self.reason}."


class InvalidPositionError(ReadModelError):
    """The position to continue from is none of this sort order; start again from the first page."""


@dataclass(frozen=True, slots=True)
class Document:
    """A normalized entity with its origin.

    ``values`` are the entity's fields in JSON form, all of them, by name. ``version`` is the version of the stream
    they were folded from. ``issues`` are mapping issues: ``{"field", "error"}``.
    """

    id: str
    version: int
    order_key: str
    complete: bool
    mapping: str
    projected_at: datetime
    values: Mapping[str, Any]
    issues: Sequence[Mapping[str, str]] = ()

    @property
    def is_deleted(self) -> bool:
        """Say whether this is a tombstone with the last known values."""
        return bool(self.values.get("is_deleted"))

    def to_json(self, fields: Sequence[FieldSpec]) -> bytes:
        """Return the document as it is stored and served: the given fields, then ``_meta``."""
        body: dict[str, Any] = {spec.name: self.values.get(spec.name) for spec in fields}
        body["_meta"] = {
            "version": self.version,
            "order_key": self.order_key,
            "complete": self.complete,
            "mapping": self.mapping,
            "projected_at": self.projected_at.strftime("%Y-%m-%dT%H:%M:%S.")
            + f"{self.projected_at.microsecond // 1000:03d}Z",
            **({"issues": list(self.issues)} if self.issues else {}),
        }
        return orjson.dumps(body)


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as read: its JSON as bytes, ready to be sent, and what callers need without decoding it."""

    id: str
    version: int
    is_deleted: bool
    body: bytes

    def decode(self) -> dict[str, Any]:
        """Return the JSON as a dict."""
        decoded: dict[str, Any] = orjson.loads(self.body)
        return decoded


class SaveOutcome(StrEnum):
    """What became of one document."""

    SAVED = "saved"
    STALE = "stale"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class SaveResult:
    """What became of one document; ``error`` says why it was refused."""

    id: str
    outcome: SaveOutcome
    error: str = ""


class GenerationState(StrEnum):
    """Where a generation stands in its life."""

    FILLING = "filling"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Generation:
    """One physical copy of an entity's documents: the fields it takes, the mapping it was made for.

    Exactly one generation of an entity serves queries; all that are listed receive live writes, except failed ones.
    """

    entity: str
    number: int
    fields: tuple[FieldSpec, ...]
    mapping: str
    state: GenerationState
    serves: bool
    created_at: datetime


class Operator(StrEnum):
    """How a filter compares; named as in the query string."""

    EQ = "eq"
    NE = "ne"
    IN = "in"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    CONTAINS = "contains"
    STARTSWITH = "startswith"
    ISNULL = "isnull"


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition on one field.

    ``value`` is in the field's JSON form; a tuple of such for ``IN``; a bool for ``ISNULL``. On a list field ``EQ``
    means "has the value" and ``IN`` "has one of the values". Equality is exact, ``CONTAINS`` and ``STARTSWITH``
    ignore letter case, ``NE`` includes nulls, every other comparison leaves nulls out, decimals compare as numbers.
    ``GT`` to ``LTE`` compare texts as lists sort them: by code point of their lower case. ``CONTAINS`` and
    ``STARTSWITH`` take a text and look for it in the JSON form of the value, whatever its kind.
    """

    field: str
    operator: Operator
    value: Any


@dataclass(frozen=True, slots=True)
class Sort:
    """A field to sort by: text by code point of its lower case, nulls last in either direction."""

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """Which documents of an entity, in which order, from where.

    ``words``: each must begin a word of a name-like field, letter case ignored; texts are split into words by
    ``crm_projections.domain.words.words_of``, those of the query too. Ids break ties, ascending. ``after``
    is the position of the last document of the page before (keyset); ``offset`` counts from the start instead.
    """

    filters: Sequence[Filter] = ()
    words: Sequence[str] = ()
    sort: Sequence[Sort] = ()
    include_deleted: bool = False
    limit: int = 25
    offset: int = 0
    after: Sequence[Any] | None = None
    with_count: bool = True


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A page of documents.

    ``count`` is exact up to ``EXACT_COUNT_LIMIT``, then ``count_is_lower_bound`` is true; it is ``None`` if not asked
    for. ``next_position`` is the JSON-ready position of the last document if more follow, else ``None``.
    """

    documents: Sequence[StoredDocument]
    next_position: Sequence[Any] | None
    count: int | None = None
    count_is_lower_bound: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two generations differ, counted over their documents, with some ids of each kind as examples.

    Documents are compared by their values in the fields both generations have, and by deletion, not by ``_meta``.
    ``examples`` holds a few ids under ``different``, ``only_in_first`` and ``only_in_second``.
    """

    same: int
    different: int
    only_in_first: int
    only_in_second: int
    examples: Mapping[str, Sequence[str]] = field(default_factory=dict)


class ReadModel(ABC):
    """Keep the newest document of every record, in one or more generations of each entity.

    Versions decide, whoever writes: two projectors on one stream are harmless. Any method may raise
    ``ReadModelUnavailableError``.
    """

    @abstractmethod
    def generations(self, entity: str) -> list[Generation]:
        """Return the entity's generations by number; never from a cache."""

    @abstractmethod
    def ensure_serving(self, schema: EntitySchema, mapping: str, now: datetime) -> Generation:
        """Return the serving generation, made empty and ready if there is none; safe to race."""

    @abstractmethod
    def create_generation(self, schema: EntitySchema, mapping: str, now: datetime) -> Generation:
        """Make an empty generation in state ``filling`` that does not serve."""

    @abstractmethod
    def set_state(self, entity: str, number: int, state: GenerationState) -> None:
        """Record where a generation stands; one that failed stays failed, whatever is recorded after.

        :raises UnknownGenerationError: there is no such generation, or the one that serves is said to have failed.
        """

    @abstractmethod
    def switch(self, entity: str, number: int) -> None:
        """Let this generation serve instead of the one that does, at once for all readers.

        :raises UnknownGenerationError: there is no such generation, or it is not ready.
        """

    @abstractmethod
    def drop(self, entity: str, number: int) -> None:
        """Remove a generation and its documents; a generation that is gone already is no error.

        :raises UnknownGenerationError: the generation serves.
        """

    @abstractmethod
    def save_many(self, generation: Generation, documents: Sequence[Document]) -> list[SaveResult]:
        """Write documents, in the order given back; lower versions are stale, equal ones rewritten.

        Only the generation's fields are kept. A document the store cannot take is refused alone. Ids are unique
        within one call.

        :raises UnknownGenerationError: the generation was dropped meanwhile.
        """

    @abstractmethod
    def get_many(self, entity: str, ids: Sequence[str], number: int | None = None) -> dict[str, StoredDocument]:
        """Return the documents there are, tombstones included, from the serving or the named generation.

        :raises UnknownGenerationError: there is no generation of that number.
        """

    @abstractmethod
    def search(self, entity: str, query: SearchQuery) -> SearchResult:
        """Return a page from the serving generation; an entity without one has no documents.

        Fields of the query that the generation does not have read as null.

        :raises InvalidPositionError: ``query.after`` is no position of this sort order.
        """

    @abstractmethod
    def scan(self, entity: str, number: int, page_size: int = 500) -> Iterator[Sequence[StoredDocument]]:
        """Yield all documents of a generation by id, tombstones included, in pages.

        :raises UnknownGenerationError: there is no such generation.
        """

    @abstractmethod
    def compare(self, entity: str, first: int, second: int) -> Comparison:
        """Compare two generations document by document.

        :raises UnknownGenerationError: one of them does not exist.
        """

    @abstractmethod
    def count_by_mapping(self, entity: str) -> dict[str, int]:
        """Count the serving generation's documents, tombstones included, by the mapping that made them."""

    @abstractmethod
    def refresh(self, entity: str) -> None:
        """Make everything saved so far visible to searches (a store may show it later by itself)."""

    @abstractmethod
    def ping(self) -> None:
        """Return if the read model answers."""
