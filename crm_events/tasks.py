"""Celery's shells of the write side: each takes next to nothing, may be lost, and is found again by a sweep."""

from datetime import UTC, datetime, timedelta

from celery import shared_task
from django.conf import settings

from crm_events.backends import event_store, has_crm_source, runs
from crm_events.entry import bulk_runner, command_service, repair_runner
from crm_events.ports.commands import ProcessEvents
from crm_events.running.again import send_again
from crm_events.services import inbox, repair, resync
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
    """Work runs that read whole objects of Salesforce, each for a slice of time so that none waits for long."""
    if not has_crm_source():
        return 0
    resync.start_if_needed(runs(), datetime.now(UTC))
    swept = bulk_runner().sweep(_SLICE)
    if swept.unfinished:
        send_again(sweep_runs)
    return swept.ended


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
