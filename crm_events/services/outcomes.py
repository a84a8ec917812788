"""What became of the items of a delivery, and how often each outcome occurs."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import orjson
from django.db import connection

from crm_events.domain.outcomes import Outcome
from crm_events.models import Delivery


def finish_deliveries(deliveries: Sequence[Delivery], outcomes: Sequence[Sequence[Outcome]], now: datetime) -> None:
    """Write the outcomes and mark the deliveries as recorded, unless somebody did so before.

    The caller's transaction, if any, holds this and the counts together.
    """
    rows = [
        (orjson.dumps([outcome.as_row() for outcome in part]).decode(), _sql_time(now), delivery.id)
        for delivery, part in zip(deliveries, outcomes, strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE crm_events_delivery SET outcomes = %s, status = 'recorded', recorded_at = %s, last_error = ''"
            " WHERE id = %s AND status = 'accepted'",
            rows,
        )


def count_outcomes(outcomes: Iterable[str], now: datetime) -> None:
    """Add to the minute's counts."""
    minute = _sql_time(now.replace(second=0, microsecond=0))
    rows = [(minute, outcome, number) for outcome, number in sorted(Counter(outcomes).items())]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO crm_events_outcomecount (minute, outcome, count) VALUES (%s, %s, %s)"
            " ON CONFLICT (minute, outcome) DO UPDATE SET count = crm_events_outcomecount.count + excluded.count",
            rows,
        )


def _sql_time(moment: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)
