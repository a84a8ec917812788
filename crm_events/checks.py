"""Checks that the adapters which settings name exist and are of the right kind."""

from typing import Any

from django.core.checks import CheckMessage, register

from crm_events.backends import AdapterSetting, check_adapter
from crm_events.ports.dead_letters import DeadLetters
from crm_events.ports.event_store import EventStore
from crm_events.ports.runs import Runs

CHOICES = (
    AdapterSetting(
        "CRM_EVENT_STORE", EventStore, "crm_events.E001", "Set EVENT_STORE to sql, or to the dotted path of a class."
    ),
    AdapterSetting("CRM_DEAD_LETTERS", DeadLetters, "crm_events.E002", "Name a class that keeps dead letters."),
    AdapterSetting("CRM_RUNS", Runs, "crm_events.E003", "Name a class that keeps runs."),
)


@register()
def check_adapters(**_: Any) -> list[CheckMessage]:
    """Check the write side's adapters."""
    return [message for choice in CHOICES for message in check_adapter(choice)]
