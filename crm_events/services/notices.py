"""Notices: what Salesforce says about whole objects, kept so that a resync can answer it."""

from collections.abc import Sequence
from datetime import datetime

from crm_events.cdc import Notice as ParsedNotice
from crm_events.cdc import ParsedItem
from crm_events.models import Notice


def keep_notices(items: Sequence[tuple[str, int, ParsedItem]], now: datetime) -> None:
    """Keep the notices of parsed items (delivery id, index, item), each once however often it arrives."""
    rows = [_row(notice, delivery, index, now) for delivery, index, item in items for notice in item.notices]
    # In one order for all, so that two who keep the same notices wait for one another and do not deadlock.
    Notice.objects.bulk_create(sorted(rows, key=lambda row: row.id), ignore_conflicts=True)


def _row(notice: ParsedNotice, delivery_id: str, index: int, now: datetime) -> Notice:
    return Notice(
        id=notice.notice_id,
        entity_name=notice.entity_name,
        event_type=notice.event_type,
        reason=notice.reason,
        record_id=notice.record_id,
        order_key=str(notice.order_key),
        raw=notice.raw,
        delivery_id=delivery_id,
        delivery_index=index,
        received_at=now,
    )
