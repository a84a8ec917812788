"""JSON answers, and documents joined as the bytes they are stored as."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from django.http import HttpResponse

from crm_projections.ports.read_model import StoredDocument

JSON = "application/json"


def json_response(payload: Any, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    """Answer with a value; ``orjson.Fragment`` passes JSON text through untouched."""
    return bytes_response(orjson.dumps(payload), status, headers)


def bytes_response(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    """Answer with JSON that is bytes already."""
    return HttpResponse(body, status=status, content_type=JSON, headers=headers or {})


def time_text(moment: datetime) -> str:
    """Return a moment as every time of the API reads: UTC, milliseconds, ``Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def list_body(documents: Iterable[StoredDocument], fields: Sequence[str], rest: dict[str, Any]) -> bytes:
    """Return the JSON of a list: ``results``, then the members of ``rest`` (at least one)."""
    # Documents are stored as they are served: joining their bytes is many times cheaper than decoding them.
    results = b",".join(document_body(document, fields) for document in documents)
    return b'{"results":[' + results + b"]," + orjson.dumps(rest)[1:]


def document_body(document: StoredDocument, fields: Sequence[str]) -> bytes:
    """Return the JSON of a document: whole, or ``id``, the named fields in that order, and ``_meta``."""
    if not fields:
        return document.body
    whole = document.decode()
    return orjson.dumps({name: whole.get(name) for name in dict.fromkeys(["id", *fields, "_meta"])})
