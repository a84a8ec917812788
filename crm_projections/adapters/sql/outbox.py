"""The outbox log: a broadcaster that writes messages into a table, for whoever reads them there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import connections, transaction
from django.utils import timezone

from crm_projections.adapters.sql.availability import broadcaster_errors
from crm_projections.adapters.sql.models import OutboxMessage
from crm_projections.adapters.sql.statements import placeholders
from crm_projections.ports.broadcaster import Broadcaster, Message, PublishResult

_TABLE = OutboxMessage._meta.db_table  # noqa: SLF001  # Django's documented way to a model's table
_COLUMNS = ("message_id", "entity", "stream", "detail", "created_at")
_MAX_LENGTHS = {"message_id": 255, "entity": 100, "stream": 255}
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class LoggedMessage:
    """A message in the outbox; ``number`` grows with every message and is the place to page from."""

    number: int
    message_id: str
    entity: str
    stream: str
    detail: Mapping[str, Any]
    created_at: datetime


class OutboxBroadcaster(Broadcaster):
    """Keep every message once, by its id. ``using`` is the alias of a Django database."""

    def __init__(self, using: str = "default") -> None:
        self._using = using

    def publish(self, messages: Sequence[Message]) -> list[PublishResult]:
        """Write the messages that fit, in one transaction."""
        now = timezone.now()
        rows: dict[str, Row] = {}
        results = []
        for message in messages:
            error = ""
            try:
                rows.setdefault(message.id, self._row(message, now))
            except (TypeError, ValueError) as refusal:
                error = f"The message cannot be kept: {refusal}. Correct the mapping."
            results.append(PublishResult(message.id, error))
        with broadcaster_errors():
            self._insert(sorted(rows.values()))
        return results

    def ping(self) -> None:
        """Ask the database for nothing much."""
        with broadcaster_errors(), connections[self._using].cursor() as cursor:
            cursor.execute("SELECT 1")

    def recent(self, limit: int, before: int | None = None) -> list[LoggedMessage]:
        """Return the newest messages, newest first; ``before`` is the number of the last one of the page before."""
        return self._read({}, limit, before)

    def for_stream(self, stream: str, limit: int, before: int | None = None) -> list[LoggedMessage]:
        """Return the newest messages of one stream (``Account#001...``), newest first."""
        return self._read({"stream": stream}, limit, before)

    def _row(self, message: Message, now: datetime) -> Row:
        stream = str(message.detail.get("stream") or "")
        named = {"message_id": message.id, "entity": message.entity, "stream": stream}
        for name, text in named.items():
            if "\x00" in text or len(text) > _MAX_LENGTHS[name]:
                raise ValueError(f"its {name} has a NUL character or more than {_MAX_LENGTHS[name]} characters")
        created_at = connections[self._using].ops.adapt_datetimefield_value(now)
        return (*named.values(), orjson.dumps(message.detail).decode(), created_at)

    def _insert(self, rows: Sequence[Row]) -> None:
        # In order of id, so that two who publish the same messages wait for one another and do not deadlock.
        connection = connections[self._using]
        with transaction.atomic(using=self._using), connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO {_TABLE} ({', '.join(_COLUMNS)}) VALUES {placeholders(len(_COLUMNS))} "
                "ON CONFLICT (message_id) DO NOTHING",
                rows,
            )

    def _read(self, which: Mapping[str, str], limit: int, before: int | None) -> list[LoggedMessage]:
        rows = OutboxMessage.objects.using(self._using).filter(**which).order_by("-id")
        if before is not None:
            rows = rows.filter(id__lt=before)
        with broadcaster_errors():
            return [_logged(row) for row in rows[:limit]]


def _logged(row: OutboxMessage) -> LoggedMessage:
    return LoggedMessage(row.pk, row.message_id, row.entity, row.stream, orjson.loads(row.detail), row.created_at)
