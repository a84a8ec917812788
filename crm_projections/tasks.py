"""Celery's shells of the read side: each takes stream keys or nothing, may be lost, and is found again by a sweep."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from celery import shared_task
from django.conf import settings

from crm_events.backends import event_store, leases, runs
from crm_events.domain.drift import Check
from crm_events.domain.identifiers import StreamKey
from crm_events.running.again import send_again
from crm_events.running.checks import queue_checks
from crm_projections.entry import projector, runner

# Streams younger than this are left to the task that their delivery sent.
_SWEEP_AFTER = timedelta(seconds=5)
# Also how long the sweeping rests after a process died in the middle of one.
_SWEEP_LEASE = timedelta(seconds=20)
_SLICE = timedelta(seconds=10)


@shared_task(name="crm_projections.tasks.project")
def project(streams: Sequence[str]) -> int:
    """Project streams, named as ``Account#001...``."""
    return projector().project([StreamKey.parse(stream) for stream in streams], datetime.now(UTC)).done


@shared_task(name="crm_projections.tasks.sweep_pending")
def sweep_pending() -> int:
    """Project a bounded number of streams that wait too long, one sweep at a time."""
    token = leases().take("sweep_pending", _SWEEP_LEASE, datetime.now(UTC))
    if token is None:
        return 0
    try:
        now = datetime.now(UTC)
        return projector().sweep(settings.CRM_PROJECT_BATCH, now - _SWEEP_AFTER, now).done
    finally:
        leases().give_back("sweep_pending", token, datetime.now(UTC))


@shared_task(name="crm_projections.tasks.sweep_runs")
def sweep_runs() -> int:
    """Work queued runs, and take over those whose worker died, each for a slice of time so that none waits for long."""
    swept = runner().sweep(_SLICE)
    if swept.unfinished:
        send_again(sweep_runs)
    return swept.ended


@shared_task(name="crm_projections.tasks.start_checks")
def start_checks(check: str) -> int:
    """Queue the runs of a check of the read side, one for each object it looks at."""
    objects = event_store().entity_names() if Check(check) is Check.DOCUMENTS else [""]
    started = queue_checks(runs(), Check(check), objects, datetime.now(UTC))
    if started:
        send_again(sweep_runs)
    return started
