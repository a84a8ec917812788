"""Celery's shells of the write side: each takes next to nothing, may be lost, and is found again by a sweep."""

from datetime import UTC, datetime, timedelta

from celery import shared_task
from django.conf import settings

from crm_events.backends import drift_report, event_store, has_crm_source, runs
from crm_events.domain.drift import Check
from crm_events.entry import bulk_runner, command_service, log_runner, repair_runner
from crm_events.ports.commands import ProcessEvents
from crm_events.running.again import send_again
from crm_events.running.checks import queue_checks
from crm_events.services import inbox, repair, resync
from crm_events.services.reconciliation.feeds import recovery_backfills
from crm_events.services.runs import remove_ended
from crm_events.services.wakeups import wake_ingest, wake_projector

_BATCH = 200
_SLICE = timedelta(seconds=10)


@shared_task(name="crm_events.tasks.process_deliveries")
def process_deliveries() -> int:
    """Bring a batch of deliveries into the log, and come again if there may be more."""
    processed = command_service().process_events(ProcessEvents(limit=_BATCH), datetime.now(UTC))
    wake_projector(processed.streams)
    if processed.deliveries == _BATCH:
        wake_ingest()
    return processed.deliveries


@shared_task(name="crm_events.tasks.sweep_deliveries")
def sweep_deliveries() -> int:
    """Pick up deliveries that nobody finished, until none is free; those that failed before have their turn here."""
    total = 0
    command = ProcessEvents(limit=_BATCH, failed_first=True)
    while (processed := command_service().process_events(command, datetime.now(UTC))).deliveries:
        wake_projector(processed.streams)
        total += processed.deliveries
    return total


@shared_task(name="crm_events.tasks.remove_finished_deliveries")
def remove_finished_deliveries() -> int:
    """Remove deliveries whose retention is over."""
    before = datetime.now(UTC) - timedelta(days=settings.CRM_DELIVERY_RETENTION_DAYS)
    total = 0
    while removed := inbox.remove_finished(before):
        total += removed
    return total


@shared_task(name="crm_events.tasks.sweep_runs")
def sweep_runs() -> int:
    """Work backfills, resyncs and checks, each for a slice of time so that none waits for long."""
    swept = [log_runner().sweep(_SLICE)]
    if has_crm_source():
        resync.start_if_needed(runs(), datetime.now(UTC))
        swept.append(bulk_runner().sweep(_SLICE))
    if any(one.unfinished for one in swept):
        send_again(sweep_runs)
    return sum(one.ended for one in swept)


@shared_task(name="crm_events.tasks.repair_gaps")
def repair_gaps() -> int:
    """Read dirty records again from Salesforce, if there are any."""
    if not has_crm_source():
        return 0
    repair.start_if_needed(event_store(), runs(), datetime.now(UTC))
    swept = repair_runner().sweep(_SLICE)
    if swept.unfinished:
        send_again(repair_gaps)
    return swept.ended


@shared_task(name="crm_events.tasks.start_checks")
def start_checks(check: str) -> int:
    """Queue the runs of a check of the write side, one for each object it looks at."""
    chosen = Check(check)
    if chosen is not Check.UNFINISHED and not has_crm_source():
        return 0
    objects = [""] if chosen is Check.UNFINISHED else event_store().entity_names()
    started = queue_checks(runs(), chosen, objects, datetime.now(UTC))
    if started:
        send_again(sweep_runs)
    return started


@shared_task(name="crm_events.tasks.backfill_lost_feeds")
def backfill_lost_feeds() -> int:
    """Open a bounded backfill for each object whose events Salesforce has forgotten before they came."""
    if not has_crm_source():
        return 0
    now = datetime.now(UTC)
    started = [command_service().start_backfill(lost, now) for lost in recovery_backfills(now)]
    return len(started)


@shared_task(name="crm_events.tasks.remove_old_reports")
def remove_old_reports() -> int:
    """Remove what checks found, and the runs of checks and repairs, when their retention is over."""
    before = datetime.now(UTC) - timedelta(days=settings.CRM_REPORT_RETENTION_DAYS)
    return drift_report().remove_before(before) + remove_ended(before)
