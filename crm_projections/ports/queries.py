"""The query side: what callers may ask about normalized entities, as small frozen objects, and who answers."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_events.domain.errors import CrmError
from crm_projections.ports.read_model import EXACT_COUNT_LIMIT, Filter, Sort, StoredDocument

DEFAULT_PAGE_SIZE = 25
MAX_PAGE_SIZE = 500


class QueryError(CrmError):
    """Base of the errors of a query."""


class UnknownEntityError(QueryError):
    """No mapping makes an entity of this name; ``known`` are the names that one does."""

    def __init__(self, entity: str, known: Sequence[str]) -> None:
        super().__init__(entity, tuple(known))
        self.entity = entity
        self.known = tuple(known)


class EntityNotFoundError(QueryError):
    """There is no such document, or only a tombstone (``deleted``) and the caller did not ask for those."""

    def __init__(self, entity: str, entity_id: str, *, deleted: bool = False) -> None:
        super().__init__(entity, entity_id)
        self.entity = entity
        self.entity_id = entity_id
        self.deleted = deleted


@dataclass(frozen=True, slots=True)
class PageNumber:
    """The page of a list by its number, from 1; it reaches to row ``EXACT_COUNT_LIMIT``."""

    number: int = 1
    size: int = DEFAULT_PAGE_SIZE

    @property
    def offset(self) -> int:
        """Return how many rows stand before the page."""
        return (self.number - 1) * self.size

    @property
    def limit(self) -> int:
        """Return how many rows the page may hold; the last page by number may be cut short."""
        return max(0, min(self.size, EXACT_COUNT_LIMIT - self.offset))


@dataclass(frozen=True, slots=True)
class Walk:
    """A step of a walk through a list without end: the rows after a position, ``None`` for the first step."""

    after: Sequence[Any] | None = None
    size: int = DEFAULT_PAGE_SIZE


@dataclass(frozen=True, slots=True)
class Selection:
    """Which documents of an entity, in which order. Fields are the mapping's; ids break ties."""

    filters: Sequence[Filter] = ()
    words: Sequence[str] = ()
    sort: Sequence[Sort] = ()
    include_deleted: bool = False

    @property
    def is_empty(self) -> bool:
        """Say whether nothing can match: a field in an empty list of values."""
        return any(condition.value == () for condition in self.filters)


@dataclass(frozen=True, slots=True)
class ListQuery:
    """A page of an entity's documents."""

    selection: Selection = field(default_factory=Selection)
    paging: PageNumber | Walk = field(default_factory=PageNumber)


@dataclass(frozen=True, slots=True)
class EntityQuery:
    """One document by its 18-character id; tombstones only if asked for."""

    entity: str
    entity_id: str
    include_deleted: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Documents, how many there are in all, and where the neighbouring pages are.

    ``count`` is ``None`` in every step of a walk but the first. ``next`` is a ``Walk`` too where numbered pages end
    and rows follow.
    """

    results: Sequence[StoredDocument]
    count: int | None
    count_is_lower_bound: bool
    next: PageNumber | Walk | None
    previous: PageNumber | None


class CrmQueryService(ABC):
    """Answer questions about normalized entities from the read model; never changes anything.

    Any method may raise ``ReadModelUnavailableError``.
    """

    def clients(self, query: ListQuery) -> Page:
        """Return a page of clients."""
        return self.entities("client", query)

    def contacts(self, query: ListQuery) -> Page:
        """Return a page of contacts."""
        return self.entities("contact", query)

    def contracts(self, query: ListQuery) -> Page:
        """Return a page of contracts."""
        return self.entities("contract", query)

    def deals(self, query: ListQuery) -> Page:
        """Return a page of deals."""
        return self.entities("deal", query)

    def leads(self, query: ListQuery) -> Page:
        """Return a page of leads."""
        return self.entities("lead", query)

    @abstractmethod
    def entities(self, entity: str, query: ListQuery) -> Page:
        """Return a page of any mapped entity.

        :raises UnknownEntityError: no mapping makes this entity.
        """

    @abstractmethod
    def entity(self, query: EntityQuery) -> StoredDocument:
        """Return one document.

        :raises UnknownEntityError: no mapping makes this entity.
        :raises EntityNotFoundError: there is no document, or a tombstone that was not asked for.
        """
