"""What others may know about deliveries and dead letters."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Count, Max, Q, Sum

from crm_events.backends import event_store
from crm_events.domain.drift import Check, run_kind
from crm_events.domain.identifiers import StreamKey
from crm_events.domain.outcomes import Outcome
from crm_events.models import DeadLetter, Delivery, Feed, Lease, Notice, OutcomeCount, Run
from crm_events.ports.event_store import EventStore

_NOT_ENDED = (Run.Status.QUEUED, Run.Status.RUNNING, Run.Status.PAUSED)


@dataclass(frozen=True, slots=True)
class DeliveryStatus:
    """How far a delivery has come: ``accepted``, ``recorded`` (in the log) or ``projected`` (readable, or parked)."""

    id: str
    status: str
    received: int
    received_at: datetime
    outcomes: Sequence[Outcome]


def delivery_status(delivery_id: str) -> DeliveryStatus | None:
    """Return a delivery's status with its outcomes; a parked record's outcome says so in its detail.

    :raises EventStoreUnavailableError: the log does not answer.
    """
    delivery = Delivery.objects.filter(pk=delivery_id).defer("body").first()
    if delivery is None:
        return None
    outcomes = [Outcome(*outcome) for outcome in delivery.outcomes]
    status = str(delivery.status)
    if delivery.status == Delivery.Status.RECORDED:
        outcomes, settled = _with_projection(outcomes, event_store())
        status = "projected" if settled else "recorded"
    return DeliveryStatus(delivery.id, status, delivery.item_count, delivery.received_at, outcomes)


def _with_projection(outcomes: Sequence[Outcome], store: EventStore) -> tuple[list[Outcome], bool]:
    heads = store.heads(list({StreamKey(o.entity, o.entity_id) for o in outcomes if o.version is not None}))
    settled = True
    result = []
    for outcome in outcomes:
        head = heads.get(StreamKey(outcome.entity, outcome.entity_id)) if outcome.version is not None else None
        if head is not None and min(head.projected_version, head.published_version) < (outcome.version or 0):
            if head.blocked:
                parked = "The record is parked: it could not be projected. Next: see its dead letter."
                result.append(replace(outcome, detail=parked))
                continue
            settled = False
        result.append(outcome)
    return result, settled


def outcome_totals() -> dict[str, int]:
    """Return how many events had each outcome since the service began to count."""
    rows = OutcomeCount.objects.values_list("outcome").annotate(total=Sum("count"))
    return {outcome: int(total) for outcome, total in rows}


def dead_letter_counts() -> dict[str, int]:
    """Return how many open dead letters there are of each code."""
    rows = DeadLetter.objects.filter(resolved_at=None).values_list("code").annotate(total=Count("pk"))
    return dict(rows)


def unfinished_deliveries() -> tuple[int, datetime | None]:
    """Return how many deliveries are not in the log yet, and when the oldest of them arrived."""
    waiting = Delivery.objects.filter(status=Delivery.Status.ACCEPTED)
    oldest = waiting.order_by("id").values_list("received_at", flat=True).first()
    return waiting.count(), oldest


def open_dead_letters(limit: int) -> int:
    """Return how many dead letters are open, counted no further than ``limit``."""
    return DeadLetter.objects.filter(resolved_at=None)[:limit].count()


def dead_letters_of(stream: StreamKey) -> tuple[int, int]:
    """Return how many dead letters of a record are open, and how many are closed."""
    # A letter about an event keeps the form of the id that came.
    ids = [stream.entity_id, stream.entity_id[:15]]
    letters = DeadLetter.objects.filter(entity_name=stream.entity_name, record__in=ids)
    counts = letters.aggregate(open=Count("pk", filter=Q(resolved_at=None)), total=Count("pk"))
    return counts["open"], counts["total"] - counts["open"]


def unfinished_runs() -> int:
    """Return how many runs wait for a worker or are worked on."""
    return Run.objects.filter(status__in=[Run.Status.QUEUED, Run.Status.RUNNING]).count()


def runs_without_worker(before: datetime) -> int:
    """Return how many runs have waited for a worker, or heard nothing of theirs, since before that moment.

    One that rests has its time still to come, and one that shares its worker with others was worked on since.
    """
    rested = Q(not_before=None) | Q(not_before__lt=before)
    unworked = Q(heartbeat_at=None) | Q(heartbeat_at__lt=before)
    waiting = Q(status=Run.Status.QUEUED, created_at__lt=before) & rested & unworked
    return Run.objects.filter(waiting | Q(status=Run.Status.RUNNING, heartbeat_at__lt=before)).count()


def runs_by_status(ended_since: datetime) -> dict[tuple[str, str], int]:
    """Return how many runs there are of each kind and status: those not ended, and those that ended since a time."""
    counted = Run.objects.filter(Q(status__in=_NOT_ENDED) | Q(finished_at__gte=ended_since))
    rows = counted.values_list("kind", "status").annotate(total=Count("pk")).order_by("kind", "status")
    return {(kind, status): total for kind, status, total in rows}


def waiting_since(now: datetime) -> dict[str, datetime]:
    """Return since when the longest waiting run of each kind could be worked; those that rest do not wait."""
    queued = Run.objects.filter(Q(not_before=None) | Q(not_before__lte=now), status=Run.Status.QUEUED)
    since: dict[str, datetime] = {}
    for kind, *moments in queued.values_list("kind", "created_at", "not_before", "heartbeat_at").order_by("id"):
        ready = max(moment for moment in moments if moment)
        since[kind] = min(since.get(kind, ready), ready)
    return since


@dataclass(frozen=True, slots=True)
class LastCheck:
    """The newest run of a check that came to its end, for one object, or for the whole service (``target`` empty)."""

    check: Check
    target: str
    run_id: int
    finished_at: datetime


def last_checks() -> list[LastCheck]:
    """Return the newest run that came to its end of each check and object."""
    kinds = {run_kind(check): check for check in Check}
    done = Run.objects.filter(kind__in=kinds, status=Run.Status.DONE)
    newest = done.values_list("kind", "target").annotate(newest=Max("id")).values_list("newest", flat=True).order_by()
    rows = Run.objects.filter(pk__in=list(newest)).order_by("target", "kind")
    columns = rows.values_list("kind", "target", "pk", "finished_at")
    return [LastCheck(kinds[kind], target, run_id, at) for kind, target, run_id, at in columns if at is not None]


def stalled_feeds() -> int:
    """Return of how many objects Salesforce made changes of which no event came."""
    return Feed.objects.exclude(stalled_since=None).count()


def last_lease(name: str) -> datetime | None:
    """Return when a right was last given back, or until when it is held; ``None`` if nobody ever held it."""
    return Lease.objects.filter(name=name).values_list("until", flat=True).first()


def any_delivery() -> bool:
    """Say whether any event was ever taken in, as far as the counts and the inbox know."""
    return OutcomeCount.objects.exists() or Delivery.objects.exists()


def open_notices() -> int:
    """Return how many notices wait for their object to be read again."""
    return Notice.objects.filter(resolved_at=None).count()
