"""The transactional inbox: deliveries are stored before they are answered, and claimed before they are worked on."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from crm_events.cdc import split_body
from crm_events.models import Delivery
from crm_events.ports.commands import Accepted
from crm_events.services.texts import storable
from crm_events.services.wakeups import wake_ingest

# Working a delivery twice at once is harmless (the log knows its items), so a short claim only bounds the wait
# after a worker died.
CLAIM_FOR = timedelta(seconds=30)
# Many small deliveries are worked on together, but a few large ones already fill memory and a transaction.
ITEMS_PER_CLAIM = 5_000


def new_delivery_id(now: datetime) -> str:
    """Return 32 hexadecimal characters that sort by time: milliseconds, then random bits."""
    return f"{int(now.timestamp() * 1000):012x}{secrets.token_hex(10)}"


def accept(body: bytes, key_name: str, now: datetime) -> Accepted:
    """Store a request of events and wake the ingest lane.

    :raises BodyError: the body is no JSON object or array; nothing was stored.
    :raises django.db.OperationalError: the database is down; nothing was stored.
    """
    items = split_body(body)
    delivery = Delivery(
        id=new_delivery_id(now),
        received_at=now,
        key_name=key_name,
        body=body.decode(),
        item_count=len(items),
    )
    with transaction.atomic():
        delivery.save(force_insert=True)
        transaction.on_commit(wake_ingest)
    return Accepted(delivery.id, len(items))


def claim(limit: int, now: datetime, *, failed_first: bool = False) -> list[Delivery]:
    """Claim deliveries that nobody works on: many new ones, or else a single one that failed before.

    One that failed is worked on alone, so that a delivery which kills its worker spends only its own attempts. With
    ``failed_first`` it goes before the new ones: under a steady stream of those its turn would never come.
    """
    if failed_first:
        return _claim_failed(now) or _claim(Q(attempts=0), limit, now)
    return _claim(Q(attempts=0), limit, now) or _claim_failed(now)


def _claim_failed(now: datetime) -> list[Delivery]:
    return _claim(Q(attempts__gt=0), 1, now)


def _claim(condition: Q, limit: int, now: datetime) -> list[Delivery]:
    free = Delivery.objects.filter(
        Q(claimed_until=None) | Q(claimed_until__lt=now), condition, status=Delivery.Status.ACCEPTED
    )
    if connection.features.has_select_for_update_skip_locked:
        with transaction.atomic():
            # Two who claim at the same time do not wait for one another: each takes what the other does not.
            return _take(free.select_for_update(skip_locked=True), free, limit, now)
    return _take(free, free, limit, now)


def _take(seen: QuerySet[Delivery], free: QuerySet[Delivery], limit: int, now: datetime) -> list[Delivery]:
    ids = _first_ids(seen.order_by("id").values_list("id", "item_count")[:limit])
    if not ids:
        return []
    token = secrets.token_hex(16)
    # The guard is in the UPDATE: of two workers that saw the same rows, each gets those it really changed.
    free.filter(id__in=ids).update(claim=token, claimed_until=now + CLAIM_FOR, attempts=F("attempts") + 1)
    return list(Delivery.objects.filter(id__in=ids, claim=token).order_by("id"))


def _first_ids(found: Iterable[tuple[str, int]]) -> list[str]:
    """Return the first ids that together hold a bounded number of items, and at least one."""
    ids: list[str] = []
    items = 0
    for delivery_id, item_count in found:
        items += item_count
        if ids and items > ITEMS_PER_CLAIM:
            break
        ids.append(delivery_id)
    return ids


def give_back(deliveries: Sequence[Delivery], now: datetime, error: str) -> None:
    """Undo a claim whose work could not begin because an engine is down; it does not count as an attempt."""
    _still_claimed(deliveries).update(
        attempts=F("attempts") - 1,
        claim="",
        claimed_until=now + timedelta(seconds=2),
        last_error=storable(error),
    )


def postpone(delivery: Delivery, now: datetime, error: str) -> None:
    """Let a failed delivery wait before its next attempt, longer each time.

    Short at first: with the attempts it has by default it is a dead letter, and seen, within a minute.
    """
    wait = timedelta(seconds=min(2 ** (delivery.attempts - 1), 60))
    _still_claimed([delivery]).update(claim="", claimed_until=now + wait, last_error=storable(error))


def lock_unfinished(deliveries: Sequence[Delivery]) -> set[str]:
    """Return the ids of those that are not finished yet; nobody else can finish them in this transaction."""
    found = Delivery.objects.filter(id__in=[d.id for d in deliveries], status=Delivery.Status.ACCEPTED)
    return set(found.select_for_update().order_by("id").values_list("id", flat=True))


def _still_claimed(deliveries: Sequence[Delivery]) -> QuerySet[Delivery]:
    """Return those that are still ours: a claim that was over may be somebody else's by now."""
    return Delivery.objects.filter(
        id__in=[delivery.id for delivery in deliveries],
        claim__in={delivery.claim for delivery in deliveries},
        status=Delivery.Status.ACCEPTED,
    )


def release_claims() -> int:
    """Free every claimed delivery; only for a process that knows it is the only worker. Return how many."""
    return (
        Delivery.objects.filter(status=Delivery.Status.ACCEPTED)
        .exclude(claimed_until=None)
        .update(claimed_until=None, claim="")
    )


def remove_finished(before: datetime, limit: int = 5_000) -> int:
    """Remove deliveries that were recorded before a time; the log keeps their events. Return how many."""
    finished = Delivery.objects.filter(status=Delivery.Status.RECORDED, recorded_at__lt=before)
    ids = list(finished.order_by("recorded_at").values_list("id", flat=True)[:limit])
    return Delivery.objects.filter(id__in=ids).delete()[0]
