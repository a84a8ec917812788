"""Work that was accepted and not finished in time: deliveries, and records the read side has not caught up with."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from crm_events.domain.drift import Cause, Check, Difference, Remedy
from crm_events.domain.heads import Head
from crm_events.domain.identifiers import StreamKey
from crm_events.models import Delivery
from crm_events.ports.drift_report import DriftReport
from crm_events.ports.event_store import EventStore, StreamFlag
from crm_events.running.runner import RunSession

# Sweeps come every few seconds; what they have not done by then, something keeps them from doing.
IN_TIME = timedelta(minutes=10)
_AT_A_TIME = 1_000


class UnfinishedWorker:
    """Report deliveries and records that wait for longer than they should, and hand the records over once more."""

    check = Check.UNFINISHED

    def __init__(
        self,
        store: EventStore,
        report: DriftReport,
        wake_ingest: Callable[[], None],
        wake: Callable[[Sequence[StreamKey]], None],
    ) -> None:
        self._store = store
        self._report = report
        self._wake_ingest = wake_ingest
        self._wake = wake

    def work(self, session: RunSession) -> None:
        """Look once; a number that reaches the bound is a lower bound."""
        repairs = bool(session.run.parameters.get("repair", True))
        before = session.now - IN_TIME
        late = self._store.pending_streams(_AT_A_TIME, before)
        blocked = self._store.flagged_streams(StreamFlag.BLOCKED, _AT_A_TIME).heads
        found = [
            *_deliveries(before, repairs=repairs),
            *[_stuck(head, repairs=repairs) for head in late],
            *[_parked(head) for head in blocked],
        ]
        if repairs:
            self._wake_ingest()
            self._wake([head.stream for head in late])
        self._report.add(session.run.id, found, session.now)
        session.count("differences", len(found))
        for difference in found:
            session.count(f"cause: {difference.cause}")


def _deliveries(before: datetime, *, repairs: bool) -> list[Difference]:
    waiting = Delivery.objects.filter(status=Delivery.Status.ACCEPTED, received_at__lt=before).order_by("id")
    rows = waiting.values_list("id", "received_at", "attempts", "last_error")[:_AT_A_TIME]
    remedy = Remedy.PROJECTED if repairs else Remedy.NONE
    return [
        Difference(Check.UNFINISHED, Cause.STUCK, f"delivery {id_}", (), _waits(received, attempts, error), remedy)
        for id_, received, attempts, error in rows
    ]


def _waits(received: datetime, attempts: int, error: str) -> str:
    tried = f", was tried {attempts} times" if attempts else ""
    why = f" and last failed with: {error}" if error else ""
    return f"It came at {received:%d %b %H:%M:%S}{tried}{why}."


def _stuck(head: Head, *, repairs: bool) -> Difference:
    waiting = f" since {head.pending_since:%d %b %H:%M:%S}" if head.pending_since else ""
    remedy = Remedy.PROJECTED if repairs else Remedy.NONE
    return Difference(
        Check.UNFINISHED, Cause.STUCK, str(head.stream), (), f"It waits for the read side{waiting}.", remedy
    )


def _parked(head: Head) -> Difference:
    words = "It could not be projected and keeps its old document. Next: see its dead letter."
    return Difference(Check.UNFINISHED, Cause.PARKED, str(head.stream), (), words, Remedy.LEFT)
