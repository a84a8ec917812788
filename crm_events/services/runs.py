"""Runs in the operational database."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from crm_events.models import Run
from crm_events.ports.runs import (
    RunLostError,
    RunProgress,
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

    def find_unfinished(self, kind: str, target: str) -> RunView | None:
        run = Run.objects.filter(kind=kind, target=target, status__in=_UNFINISHED).order_by("-id").first()
        return _view(run) if run else None

    def claimable(self, kinds: Sequence[str], now: datetime) -> list[int]:
        return list(_free(now).filter(kind__in=kinds).order_by("id").values_list("pk", flat=True))

    def claim(self, run_id: int, now: datetime, *, resume: bool = False) -> RunView | None:
        free = _free(now) | Run.objects.filter(status=Run.Status.PAUSED) if resume else _free(now)
        token = secrets.token_hex(16)
        taken = free.filter(pk=run_id).update(
            status=Run.Status.RUNNING, claim=token, heartbeat_at=now, attempts=F("attempts") + 1
        )
        if not taken:
            return None
        Run.objects.filter(pk=run_id, started_at=None).update(started_at=now)
        return self.get(run_id)

    def advance(self, run: RunView, progress: RunProgress, now: datetime) -> RunView:
        changes = {"cursor": progress.cursor, "counts": dict(progress.counts), "heartbeat_at": now}
        if progress.total is not None:
            changes["total"] = progress.total
        if progress.log:
            changes["log"] = [*run.log, *progress.log][-_LOG_LINES:]
        self._change(run, changes)
        return self.get(run.id)

    def finish(self, run: RunView, status: RunStatus, now: datetime, error: str = "") -> RunView:
        self._change(run, {"status": status.value, "finished_at": now, "error": error, "claim": ""})
        return self.get(run.id)

    def pause(self, run: RunView, now: datetime) -> None:
        self._change(run, {"status": Run.Status.PAUSED, "claim": "", "heartbeat_at": now})

    def request_cancel(self, run_id: int, now: datetime) -> bool:
        runs = Run.objects.filter(pk=run_id)
        if runs.filter(status__in=_RESTING).update(status=Run.Status.CANCELLED, finished_at=now, cancel_requested=True):
            return True
        return bool(runs.filter(status=Run.Status.RUNNING).update(cancel_requested=True))

    def _change(self, run: RunView, changes: dict[str, object]) -> None:
        if not Run.objects.filter(pk=run.id, claim=run.claim, status=Run.Status.RUNNING).update(**changes):
            raise RunLostError(run.id)


def _free(now: datetime) -> QuerySet[Run]:
    stale = Q(status=Run.Status.RUNNING, heartbeat_at__lt=now - STALE_AFTER)
    return Run.objects.filter(Q(status=Run.Status.QUEUED) | stale)


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
    )
