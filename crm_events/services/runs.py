"""Runs in the operational database."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from crm_events.models import Run
from crm_events.ports.runs import (
    RunLostError,
    RunProgress,
    RunQuery,
    RunRequest,
    Runs,
    RunStatus,
    RunView,
    UnknownRunError,
)

STALE_AFTER = timedelta(seconds=30)
_LOG_LINES = 200
_UNFINISHED = (Run.Status.QUEUED, Run.Status.RUNNING, Run.Status.PAUSED)
_RESTING = (Run.Status.QUEUED, Run.Status.PAUSED)


class OperationalRuns(Runs):
    """Keep runs as rows; every change of a claimed one is an UPDATE guarded by its claim."""

    def create(self, request: RunRequest, now: datetime) -> RunView:
        return _view(
            Run.objects.create(
                kind=request.kind,
                target=request.target,
                parameters=dict(request.parameters),
                started_by=request.started_by,
                reason=request.reason,
                created_at=now,
            )
        )

    def get(self, run_id: int) -> RunView:
        try:
            return _view(Run.objects.get(pk=run_id))
        except Run.DoesNotExist as error:
            raise UnknownRunError(run_id) from error

    def find(self, query: RunQuery) -> list[RunView]:
        rows = Run.objects.order_by("-id")
        if query.kinds:
            rows = rows.filter(kind__in=query.kinds)
        if query.target is not None:
            rows = rows.filter(target=query.target)
        if query.statuses:
            rows = rows.filter(status__in=[status.value for status in query.statuses])
        if query.before is not None:
            rows = rows.filter(pk__lt=query.before)
        return [_view(run) for run in rows[: query.limit]]

    def find_unfinished(self, kind: str, target: str) -> RunView | None:
        run = Run.objects.filter(kind=kind, target=target, status__in=_UNFINISHED).order_by("-id").first()
        return _view(run) if run else None

    def claimable(self, kinds: Sequence[str], now: datetime) -> list[int]:
        longest_waiting = (Coalesce("heartbeat_at", "created_at"), "id")
        return list(_free(now).filter(kind__in=kinds).order_by(*longest_waiting).values_list("pk", flat=True))

    def claim(self, run_id: int, now: datetime, *, resume: bool = False) -> RunView | None:
        free = _free(now) | Run.objects.filter(status__in=_RESTING) if resume else _free(now)
        token = secrets.token_hex(16)
        changes = {"status": Run.Status.RUNNING, "claim": token, "heartbeat_at": now, "not_before": None}
        if not free.filter(pk=run_id).update(**changes, pause_requested=False, attempts=F("attempts") + 1):
            return None
        Run.objects.filter(pk=run_id, started_at=None).update(started_at=now)
        return self.get(run_id)

    def advance(self, run: RunView, progress: RunProgress, now: datetime) -> RunView:
        changes = {"cursor": progress.cursor, "counts": dict(progress.counts)}
        if progress.total is not None:
            changes["total"] = progress.total
        if progress.log:
            changes["log"] = [*run.log, *progress.log][-_LOG_LINES:]
        self._change(run, now, changes)
        return self.get(run.id)

    def finish(self, run: RunView, status: RunStatus, now: datetime, error: str = "") -> RunView:
        self._change(run, now, {"status": status.value, "finished_at": now, "error": error, "claim": ""})
        return self.get(run.id)

    def release(self, run: RunView, now: datetime, not_before: datetime | None = None) -> None:
        self._change(run, now, {"status": Run.Status.QUEUED, "claim": "", "not_before": not_before})

    def pause(self, run: RunView, now: datetime) -> None:
        self._change(run, now, {"status": Run.Status.PAUSED, "claim": "", "pause_requested": False})

    def request_cancel(self, run_id: int, now: datetime) -> bool:
        runs = Run.objects.filter(pk=run_id)
        if runs.filter(status__in=_RESTING).update(status=Run.Status.CANCELLED, finished_at=now, cancel_requested=True):
            return True
        return bool(runs.filter(status=Run.Status.RUNNING).update(cancel_requested=True))

    def request_pause(self, run_id: int) -> bool:
        runs = Run.objects.filter(pk=run_id)
        if runs.filter(status=Run.Status.QUEUED).update(status=Run.Status.PAUSED, not_before=None):
            return True
        return bool(runs.filter(status=Run.Status.RUNNING).update(pause_requested=True))

    def resume(self, run_id: int) -> bool:
        runs = Run.objects.filter(pk=run_id)
        if runs.filter(status=Run.Status.PAUSED).update(status=Run.Status.QUEUED, not_before=None):
            return True
        return bool(runs.filter(status=Run.Status.RUNNING, pause_requested=True).update(pause_requested=False))

    def _change(self, run: RunView, now: datetime, changes: dict[str, object]) -> None:
        # The time since the last sign of life is counted here, so a rest or a dead worker's silence is not.
        since = (now - run.heartbeat_at).total_seconds() if run.heartbeat_at else 0.0
        worked = run.worked_seconds + max(0.0, since)
        mine = Run.objects.filter(pk=run.id, claim=run.claim, status=Run.Status.RUNNING)
        if not mine.update(heartbeat_at=now, worked_seconds=worked, **changes):
            raise RunLostError(run.id)


def remove_ended(before: datetime) -> int:
    """Remove the runs that the service starts by itself (checks, repairs) and that ended before a time."""
    own = Q(kind__startswith="check-") | Q(kind="repair")
    return Run.objects.filter(own, finished_at__lt=before).delete()[0]


def _free(now: datetime) -> QuerySet[Run]:
    waiting = Q(status=Run.Status.QUEUED) & (Q(not_before=None) | Q(not_before__lte=now))
    stale = Q(status=Run.Status.RUNNING, heartbeat_at__lt=now - STALE_AFTER)
    return Run.objects.filter(waiting | stale)


def _view(run: Run) -> RunView:
    return RunView(
        id=run.pk,
        kind=run.kind,
        target=run.target,
        parameters=run.parameters,
        status=RunStatus(run.status),
        cursor=run.cursor,
        counts=run.counts,
        total=run.total,
        error=run.error,
        cancel_requested=run.cancel_requested,
        claim=run.claim,
        log=run.log,
        pause_requested=run.pause_requested,
        not_before=run.not_before,
        worked_seconds=run.worked_seconds,
        started_by=run.started_by,
        reason=run.reason,
        created_at=run.created_at,
        started_at=run.started_at,
        heartbeat_at=run.heartbeat_at,
        finished_at=run.finished_at,
    )
