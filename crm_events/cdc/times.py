"""Points in time in every form Salesforce sends them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from crm_events.domain.order import MAX_COMMIT_TIMESTAMP

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def epoch_ms(value: Any) -> int | None:
    """Return epoch milliseconds for a point in time, ``None`` for anything that is none.

    Reads ISO texts with or without milliseconds, ending in ``Z`` (events, Bulk) or ``+0000`` (REST), and epoch
    milliseconds (Pub/Sub). A text without an offset is UTC.
    """
    if isinstance(value, str):
        return _from_iso(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return int(value) if 0 <= value <= MAX_COMMIT_TIMESTAMP else None


def _from_iso(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since_epoch = moment - _EPOCH
    milliseconds = (since_epoch.days * 86_400 + since_epoch.seconds) * 1000 + since_epoch.microseconds // 1000
    return milliseconds if milliseconds >= 0 else None
