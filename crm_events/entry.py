"""Where the write side is put together: the services over the adapters that settings name, once per process."""

import time
from datetime import timedelta
from functools import cache

from django.conf import settings

from crm_events.backends import api_budget, crm_source, dead_letters, drift_report, event_store, runs
from crm_events.domain.drift import Check, run_kind
from crm_events.ports.commands import CrmCommandService
from crm_events.running.runner import Runner, RunWorker
from crm_events.services import backfill, repair, resync
from crm_events.services.commands import SalesforceCommandService
from crm_events.services.reconciliation.records import CheckTools
from crm_events.services.reconciliation.unfinished import UnfinishedWorker
from crm_events.services.reconciliation.workers import IdsWorker, SampleWorker, WindowsWorker
from crm_events.services.retries import DeadLetterDesk
from crm_events.services.rows import RowWriter
from crm_events.services.source_calls import SourceAccess
from crm_events.services.wakeups import wake_ingest, wake_projector, wake_projector_in_bulk


@cache
def command_service() -> CrmCommandService:
    """Return the process's command service."""
    return SalesforceCommandService(
        event_store(),
        dead_letters(),
        runs(),
        allowed_orgs=settings.CRM_ALLOWED_ORGS,
        max_attempts=settings.CRM_DELIVERY_MAX_ATTEMPTS,
    )


def source_access() -> SourceAccess:
    """Return Salesforce as runs use it.

    :raises NoSourceError: no source is set up.
    """
    return SourceAccess(crm_source(), api_budget(), time.sleep)


@cache
def bulk_runner() -> Runner:
    """Return the process's worker of runs that read Salesforce at length.

    :raises NoSourceError: no source is set up.
    """
    store, writer, access = event_store(), RowWriter(event_store()), source_access()
    grace = timedelta(seconds=settings.CRM_EVENT_GRACE_SECONDS)
    tools = CheckTools(store, writer, drift_report(), wake_projector_in_bulk, grace)
    workers: dict[str, RunWorker] = {
        backfill.KIND: backfill.BackfillWorker(access, writer, wake_projector_in_bulk),
        resync.KIND: resync.ResyncWorker(access, store, writer, wake_projector_in_bulk),
        run_kind(Check.WINDOWS): WindowsWorker(access, tools),
        run_kind(Check.IDS): IdsWorker(access, tools),
        run_kind(Check.SAMPLE): SampleWorker(access, tools),
    }
    return Runner(runs(), workers)


@cache
def log_runner() -> Runner:
    """Return the process's worker of the checks that need no Salesforce."""
    worker = UnfinishedWorker(event_store(), drift_report(), wake_ingest, wake_projector)
    return Runner(runs(), {run_kind(Check.UNFINISHED): worker})


@cache
def repair_runner() -> Runner:
    """Return the process's worker of gap repairs, which wait behind no bulk work.

    :raises NoSourceError: no source is set up.
    """
    store = event_store()
    worker = repair.RepairWorker(source_access(), store, RowWriter(store), wake_projector)
    return Runner(runs(), {repair.KIND: worker})


@cache
def dead_letter_desk() -> DeadLetterDesk:
    """Return the process's desk for dead letters."""
    return DeadLetterDesk(event_store(), settings.CRM_ALLOWED_ORGS)
