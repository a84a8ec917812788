"""Where the write side is put together: the services over the adapters that settings name, once per process."""

from functools import cache

from django.conf import settings

from crm_events.backends import dead_letters, event_store, runs
from crm_events.ports.commands import CrmCommandService
from crm_events.services.commands import SalesforceCommandService
from crm_events.services.retries import DeadLetterDesk


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


@cache
def dead_letter_desk() -> DeadLetterDesk:
    """Return the process's desk for dead letters."""
    return DeadLetterDesk(event_store(), settings.CRM_ALLOWED_ORGS)
