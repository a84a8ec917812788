"""Pages of rows without OFFSET: a page begins where the last row of its neighbour stands."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)
PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class RowPage(Generic[Row]):
    """Rows, newest first, with the tokens of the pages before and after, ``None`` where there is none."""

    rows: Sequence[Row]
    newer: str | None
    older: str | None


def row_page(
    queryset: QuerySet[Row], fields: Sequence[str], query: Mapping[str, str], size: int = PAGE_SIZE
) -> RowPage[Row]:
    """Return the page that ``older`` or ``newer`` of a query string asks for, by descending ``fields``.

    A token that is none of ours reads as the first page: an old bookmark is no error.
    """
    older = _read(queryset, fields, query.get("older", ""))
    newer = _read(queryset, fields, query.get("newer", "")) if older is None else None
    descending = [f"-{field}" for field in fields]
    if newer is not None:
        rows = list(queryset.filter(_beyond(fields, newer, "gt")).order_by(*fields)[: size + 1])
        more = len(rows) > size
        rows = rows[:size][::-1]
        return RowPage(rows, _token(fields, rows[0]) if more else None, _token(fields, rows[-1]) if rows else None)
    narrowed = queryset.filter(_beyond(fields, older, "lt")) if older is not None else queryset
    rows = list(narrowed.order_by(*descending)[: size + 1])
    more, rows = len(rows) > size, rows[:size]
    back = _token(fields, rows[0]) if rows and older is not None else None
    return RowPage(rows, back, _token(fields, rows[-1]) if more else None)


def _beyond(fields: Sequence[str], values: Sequence[Any], comparison: str) -> Q:
    condition = Q()
    for position, name in enumerate(fields):
        same = dict(zip(fields[:position], values[:position], strict=True))
        condition |= Q(**same, **{f"{name}__{comparison}": values[position]})
    return condition


def _token(fields: Sequence[str], row: Model) -> str:
    values = [getattr(row, name) for name in fields]
    texts = [value.isoformat() if isinstance(value, datetime) else str(value) for value in values]
    return base64.urlsafe_b64encode(json.dumps(texts).encode()).decode()


def _read(queryset: QuerySet[Row], fields: Sequence[str], token: str) -> list[Any] | None:
    try:
        texts = json.loads(base64.urlsafe_b64decode(token.encode())) if token else None
        # A character that PostgreSQL takes in no text stands in none of our keys either.
        if not isinstance(texts, list) or len(texts) != len(fields) or any("\x00" in str(text) for text in texts):
            return None
        columns: list[Any] = [queryset.model._meta.get_field(name) for name in fields]  # noqa: SLF001  # Django's API
        values = [column.to_python(text) for column, text in zip(columns, texts, strict=True)]
    except (binascii.Error, ValueError, TypeError, ValidationError):
        return None
    return None if None in values else values
