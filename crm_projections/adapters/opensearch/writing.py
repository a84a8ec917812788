"""How documents get into a generation: bulk requests bounded by count and bytes, each item with its own outcome."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import orjson

from crm_projections.adapters.opensearch.connection import LONG, WRITE_ATTEMPTS, Call, Connection, pause
from crm_projections.adapters.opensearch.errors import (
    CONFLICT,
    NOT_FOUND,
    TOO_LARGE,
    is_passing,
    refused_for_now,
)
from crm_projections.adapters.opensearch.layout import layout_of
from crm_projections.adapters.opensearch.names import Names
from crm_projections.adapters.refusals import UnfitDocumentError
from crm_projections.ports.read_model import (
    Document,
    Generation,
    ReadModelUnavailableError,
    SaveOutcome,
    SaveResult,
    UnknownGenerationError,
)

MAX_DOCUMENTS = 500
# Small instances of Amazon OpenSearch Service take requests of 10 MiB
# (https://docs.aws.amazon.com/opensearch-service/latest/developerguide/limits.html, network limits).
MAX_BYTES = 5 * 1024 * 1024
_PARAMETERS = {"require_alias": "true", "filter_path": "errors,items.*.status,items.*.error"}


@dataclass(frozen=True, slots=True)
class Item:
    """A document on its way: its id and its two lines of a bulk request."""

    id: str
    lines: bytes


@dataclass(slots=True)
class DocumentWriter:
    """Write documents into one generation.

    Each item carries its version as an external one: the engine refuses a lower version than it holds, and takes an
    equal one again, so a request whose answer was lost can be repeated.
    """

    connection: Connection
    names: Names
    generation: Generation
    results: dict[str, SaveResult] = field(default_factory=dict)

    def save(self, documents: Sequence[Document]) -> list[SaveResult]:
        """Write what is not older than what is there, and say what became of each document, in order.

        :raises UnknownGenerationError: the generation was dropped.
        """
        for batch in batches(self._items(documents), MAX_DOCUMENTS, MAX_BYTES):
            self._write(batch)
        return [self.results[document.id] for document in documents]

    def _items(self, documents: Sequence[Document]) -> Iterator[Item]:
        layout = layout_of(self.generation.fields)
        for document in documents:
            try:
                body = layout.body(document)
            except UnfitDocumentError as error:
                self._refuse(document.id, str(error))
                continue
            action = {"_id": document.id, "version": document.version, "version_type": "external_gte"}
            yield Item(document.id, b'{"index":%s}\n%s\n' % (orjson.dumps(action), body))

    def _write(self, batch: Sequence[Item]) -> None:
        """Write a batch, and again what was refused for a reason that passes."""
        for attempt in range(1, WRITE_ATTEMPTS + 1):
            left = self._write_once(batch)
            if not left:
                return
            if attempt == WRITE_ATTEMPTS:
                raise next(iter(left.values()))
            batch = [item for item in batch if item.id in left]
            pause(attempt)

    def _write_once(self, batch: Sequence[Item]) -> Mapping[str, ReadModelUnavailableError]:
        """Write a batch; return what may be written later, by id."""
        alias = self.names.writes(self.generation.entity, self.generation.number)
        body = b"".join(item.lines for item in batch)
        answer = self.connection.call(
            Call(
                "POST", f"/{alias}/_bulk", body, _PARAMETERS, (TOO_LARGE,), LONG, WRITE_ATTEMPTS, repeat_on_timeout=True
            )
        )
        if "items" not in answer:
            return self._write_smaller(batch)
        left = {}
        for item, found in zip(batch, answer["items"], strict=True):
            if (error := self._note(item, found["index"])) is not None:
                left[item.id] = error
        return left

    def _write_smaller(self, batch: Sequence[Item]) -> Mapping[str, ReadModelUnavailableError]:
        if len(batch) == 1:
            self._refuse(
                batch[0].id,
                f"The document has {len(batch[0].lines):,} bytes, more than OpenSearch takes in a request"
                " (http.max_content_length). Leave out long fields in the mapping.",
            )
            return {}
        middle = len(batch) // 2
        return {**self._write_once(batch[:middle]), **self._write_once(batch[middle:])}

    def _note(self, item: Item, found: Mapping[str, Any]) -> ReadModelUnavailableError | None:
        """Keep what became of an item; return why it may only be written later."""
        status, error = found["status"], found.get("error")
        if error is None:
            self.results[item.id] = SaveResult(item.id, SaveOutcome.SAVED)
        elif status == CONFLICT:
            self.results[item.id] = SaveResult(item.id, SaveOutcome.STALE)
        elif status == NOT_FOUND:
            raise UnknownGenerationError(self.generation.entity, self.generation.number)
        elif is_passing(status, error["type"]):
            return refused_for_now(status, error.get("reason") or error["type"], self.connection.where)
        else:
            self._refuse(item.id, f"OpenSearch refuses the document: {_reason(error)}. Correct the mapping.")
        return None

    def _refuse(self, id_: str, why: str) -> None:
        self.results[id_] = SaveResult(id_, SaveOutcome.REFUSED, why)


def batches(items: Iterator[Item], max_items: int, max_bytes: int) -> Iterator[list[Item]]:
    """Yield the items in runs bounded by count and bytes; one that is larger alone goes alone."""
    batch: list[Item] = []
    size = 0
    for item in items:
        if batch and (len(batch) == max_items or size + len(item.lines) > max_bytes):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += len(item.lines)
    if batch:
        yield batch


def _reason(error: Mapping[str, Any]) -> str:
    causes = [error, error.get("caused_by") or {}]
    reasons = [str(cause["reason"])[:300] for cause in islice(causes, 2) if cause.get("reason")]
    return ": ".join(reasons) or str(error.get("type"))
