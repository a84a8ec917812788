"""A read model that keeps its documents in dictionaries."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import RLock

from crm_mappings.schema import EntitySchema, FieldKind
from crm_projections.adapters.comparing import common_fields, compare_scans
from crm_projections.adapters.memory.searching import Row, in_order, is_after, position_of, select
from crm_projections.adapters.refusals import UnfitDocumentError, encode, values_of
from crm_projections.domain.positions import read_position
from crm_projections.domain.words import words_of
from crm_projections.ports.read_model import (
    EXACT_COUNT_LIMIT,
    Comparison,
    Document,
    Generation,
    GenerationState,
    InvalidPositionError,
    ReadModel,
    SaveOutcome,
    SaveResult,
    SearchQuery,
    SearchResult,
    StoredDocument,
    UnknownGenerationError,
)


@dataclass(slots=True)
class _Held:
    generation: Generation
    rows: dict[str, Row] = field(default_factory=dict)

    @property
    def kinds(self) -> dict[str, FieldKind]:
        return {spec.name: spec.kind for spec in self.generation.fields}


class MemoryReadModel(ReadModel):
    """Keep documents in this process; safe to use from several threads, gone with the process."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._held: dict[str, dict[int, _Held]] = {}
        # Numbers are not given twice, so what is on its way to a dropped generation never lands in a later one.
        self._last_number: Counter[str] = Counter()

    def generations(self, entity: str) -> list[Generation]:
        """Return the entity's generations by number."""
        with self._lock:
            return [held.generation for held in self._held.get(entity, {}).values()]

    def ensure_serving(self, schema: EntitySchema, mapping: str, now: datetime) -> Generation:
        """Return the serving generation, made if there is none."""
        with self._lock:
            serving = self._serving(schema.entity)
            return serving.generation if serving else self._add(schema, mapping, now, serves=True)

    def create_generation(self, schema: EntitySchema, mapping: str, now: datetime) -> Generation:
        """Make an empty generation that is to be filled."""
        with self._lock:
            return self._add(schema, mapping, now, serves=False)

    def set_state(self, entity: str, number: int, state: GenerationState) -> None:
        """Record where a generation stands."""
        with self._lock:
            held = self._find(entity, number)
            if held.generation.serves and state is GenerationState.FAILED:
                raise UnknownGenerationError(entity, number, "it serves; it cannot fail any more")
            if held.generation.state is not GenerationState.FAILED:
                held.generation = replace(held.generation, state=state)

    def switch(self, entity: str, number: int) -> None:
        """Let a ready generation serve."""
        with self._lock:
            if self._find(entity, number).generation.state is not GenerationState.READY:
                raise UnknownGenerationError(entity, number, "it is not ready")
            for held in self._held[entity].values():
                held.generation = replace(held.generation, serves=held.generation.number == number)

    def drop(self, entity: str, number: int) -> None:
        """Remove a generation that does not serve."""
        with self._lock:
            held = self._held.get(entity, {}).get(number)
            if held is None:
                return
            if held.generation.serves:
                raise UnknownGenerationError(entity, number, "it serves; let another one serve first")
            del self._held[entity][number]

    def save_many(self, generation: Generation, documents: Sequence[Document]) -> list[SaveResult]:
        """Write documents that are not older than what is there."""
        with self._lock:
            held = self._find(generation.entity, generation.number)
            return [_save(held, document) for document in documents]

    def get_many(self, entity: str, ids: Sequence[str], number: int | None = None) -> dict[str, StoredDocument]:
        """Return the documents there are."""
        with self._lock:
            held = self._serving(entity) if number is None else self._find(entity, number)
            rows = held.rows if held else {}
            return {id_: rows[id_].stored for id_ in ids if id_ in rows}

    def search(self, entity: str, query: SearchQuery) -> SearchResult:
        """Return a page from the serving generation."""
        with self._lock:
            held = self._serving(entity)
            rows = select(held.rows.values(), query, held.kinds) if held else []
            kinds = held.kinds if held else {}
        return _page(in_order(rows, query.sort), query, kinds)

    def scan(self, entity: str, number: int, page_size: int = 500) -> Iterator[Sequence[StoredDocument]]:
        """Yield the documents a generation has now, by id."""
        with self._lock:
            held = self._find(entity, number)
            stored = [held.rows[id_].stored for id_ in sorted(held.rows)]
        return (stored[start : start + page_size] for start in range(0, len(stored), page_size))

    def compare(self, entity: str, first: int, second: int) -> Comparison:
        """Compare two generations document by document."""
        with self._lock:
            fields = common_fields(self._find(entity, first).generation, self._find(entity, second).generation)
            return compare_scans(self.scan(entity, first), self.scan(entity, second), fields)

    def count_by_mapping(self, entity: str) -> dict[str, int]:
        """Count the serving generation's documents by mapping."""
        with self._lock:
            held = self._serving(entity)
            return dict(Counter(row.mapping for row in held.rows.values())) if held else {}

    def refresh(self, entity: str) -> None:
        """Return: searches see every save at once."""

    def ping(self) -> None:
        """Return: memory answers."""

    def _serving(self, entity: str) -> _Held | None:
        return next((held for held in self._held.get(entity, {}).values() if held.generation.serves), None)

    def _find(self, entity: str, number: int) -> _Held:
        held = self._held.get(entity, {}).get(number)
        if held is None:
            raise UnknownGenerationError(entity, number)
        return held

    def _add(self, schema: EntitySchema, mapping: str, now: datetime, *, serves: bool) -> Generation:
        self._last_number[schema.entity] += 1
        generation = Generation(
            entity=schema.entity,
            number=self._last_number[schema.entity],
            fields=schema.fields,
            mapping=mapping,
            state=GenerationState.READY if serves else GenerationState.FILLING,
            serves=serves,
            created_at=now,
        )
        self._held.setdefault(schema.entity, {})[generation.number] = _Held(generation)
        return generation


def _save(held: _Held, document: Document) -> SaveResult:
    known = held.rows.get(document.id)
    if known and known.stored.version > document.version:
        return SaveResult(document.id, SaveOutcome.STALE)
    try:
        held.rows[document.id] = _row(document, held.generation)
    except UnfitDocumentError as error:
        return SaveResult(document.id, SaveOutcome.REFUSED, str(error))
    return SaveResult(document.id, SaveOutcome.SAVED)


def _row(document: Document, generation: Generation) -> Row:
    cells = values_of(document, generation.fields)
    body = encode(document, generation.fields)
    return Row(
        stored=StoredDocument(document.id, document.version, document.is_deleted, body),
        mapping=document.mapping,
        values={spec.name: value for spec, value, _ in cells},
        keys={spec.name: key for spec, _, key in cells},
        words=frozenset(word for spec, value, _ in cells if spec.name_like and value for word in words_of(str(value))),
    )


def _page(rows: list[Row], query: SearchQuery, kinds: dict[str, FieldKind]) -> SearchResult:
    count = min(len(rows), EXACT_COUNT_LIMIT) if query.with_count else None
    following = _following(rows, query, kinds)
    page = following[: query.limit]
    more = len(following) > len(page)
    return SearchResult(
        documents=[row.stored for row in page],
        next_position=position_of(page[-1], query.sort) if more and page else None,
        count=count,
        count_is_lower_bound=query.with_count and len(rows) > EXACT_COUNT_LIMIT,
    )


def _following(rows: list[Row], query: SearchQuery, kinds: dict[str, FieldKind]) -> list[Row]:
    if query.after is None:
        return rows[query.offset :]
    try:
        keys, last_id = read_position(query.after, [kinds.get(item.field) for item in query.sort])
    except ValueError as error:
        raise InvalidPositionError(str(error)) from error
    return [row for row in rows if is_after(row, keys, last_id, query.sort)]
