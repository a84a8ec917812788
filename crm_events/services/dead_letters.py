"""Dead letters: kept, counted, retried, discarded."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.models import F

from crm_events.cdc import ItemFailure
from crm_events.domain.identifiers import StreamKey
from crm_events.models import DeadLetter
from crm_events.ports.dead_letters import DeadLetters, EventFailure, StreamFailure, failure_fingerprint
from crm_events.services.texts import storable


class OperationalDeadLetters(DeadLetters):
    """Keep dead letters in the operational database."""

    def report_events(self, failures: Sequence[EventFailure], now: datetime) -> None:
        DeadLetter.objects.bulk_create(
            [
                DeadLetter(
                    kind=DeadLetter.Kind.EVENT,
                    code=failure.code,
                    detail=storable(failure.detail),
                    fingerprint=failure_fingerprint(failure.code, failure.entity_name, failure.cause),
                    entity_name=storable(failure.entity_name)[:100],
                    record=storable(failure.record)[:100],
                    delivery_id=failure.delivery_id,
                    delivery_index=failure.delivery_index,
                    payload=failure.payload,
                    first_failed_at=now,
                    last_failed_at=now,
                )
                for failure in failures
            ],
            # The same item again, after a crash between this and the end of its delivery.
            ignore_conflicts=True,
        )

    def report_streams(self, failures: Sequence[StreamFailure], now: datetime) -> None:
        moment = connection.ops.adapt_datetimefield_value(now)
        rows = [
            (
                failure.code,
                storable(failure.detail),
                failure_fingerprint(failure.code, failure.stream.entity_name, failure.cause),
                *failure.stream,
                moment,
                moment,
            )
            # In one order for all, so that two projectors wait for one another and do not deadlock.
            for failure in sorted(failures, key=lambda failure: failure.stream)
        ]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO crm_events_deadletter (kind, code, detail, fingerprint, entity_name, record, delivery_id,"
                " delivery_index, payload, attempts, first_failed_at, last_failed_at, resolution, resolved_by, reason)"
                " VALUES ('stream', %s, %s, %s, %s, %s, '', 0, '', 1, %s, %s, '', '', '')"
                " ON CONFLICT (entity_name, record) WHERE (kind = 'stream' AND resolved_at IS NULL)"
                " DO UPDATE SET code = excluded.code, detail = excluded.detail, fingerprint = excluded.fingerprint,"
                " last_failed_at = excluded.last_failed_at, attempts = crm_events_deadletter.attempts + 1",
                rows,
            )

    def resolve_streams(self, streams: Sequence[StreamKey], now: datetime) -> int:
        # Open stream letters are few and streams are many, so this begins with the letters.
        wanted = {tuple(stream) for stream in streams}
        open_letters = DeadLetter.objects.filter(kind=DeadLetter.Kind.STREAM, resolved_at=None)
        rows = open_letters.filter(record__in={record for _, record in wanted})
        found = rows.values_list("pk", "entity_name", "record")
        passed = [pk for pk, entity, record in found if (entity, record) in wanted]
        if not passed:
            return 0
        return open_letters.filter(pk__in=passed).update(resolved_at=now, resolution=DeadLetter.Resolution.PASSED)


def count_failed_retry(letter: DeadLetter, failure: ItemFailure, now: datetime) -> None:
    """Note that a retry failed again; today's code may have found another cause than the first time."""
    DeadLetter.objects.filter(pk=letter.pk, resolved_at=None).update(
        code=failure.code,
        detail=storable(failure.detail),
        fingerprint=failure_fingerprint(failure.code, failure.entity_name, failure.cause),
        last_failed_at=now,
        attempts=F("attempts") + 1,
    )
