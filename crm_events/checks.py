"""Checks that the adapters which settings name exist and are of the right kind."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string

from crm_events.backends import AdapterSetting, build_adapter, check_adapter
from crm_events.ports.api_budget import ApiBudget
from crm_events.ports.crm_source import CrmSource
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
BUDGET = AdapterSetting("CRM_API_BUDGET", ApiBudget, "crm_events.E006", "Name a class that shares API calls.")
SOURCE = AdapterSetting(
    "CRM_SOURCE",
    CrmSource,
    "crm_events.E004",
    "Set CRM_SOURCE to salesforce, none or memory, or to the dotted path of a class.",
)


@register()
def check_adapters(**_: Any) -> list[CheckMessage]:
    """Check the write side's adapters."""
    return [message for choice in CHOICES for message in check_adapter(choice)]


@register()
def check_source(**_: Any) -> list[CheckMessage]:
    """Check what reads Salesforce, if anything does; nothing connects."""
    choice = settings.CRM_SOURCE
    if choice is None:
        return []
    wrong = check_adapter(SOURCE)
    if wrong:
        return wrong
    problems: list[str] = import_string(choice["BACKEND"]).problems(**choice["OPTIONS"])
    hint = "See the variables that begin with SALESFORCE_ in .env.example."
    return [Error(problem, hint=hint, id="crm_events.E005") for problem in problems]


@register()
def check_budget(**_: Any) -> list[CheckMessage]:
    """Check how the org's API calls are to be shared."""
    wrong = check_adapter(BUDGET)
    if wrong:
        return wrong
    try:
        build_adapter(settings.CRM_API_BUDGET)
    except ValueError as error:
        hint = "Set SALESFORCE_SHARE_REPAIR, _RECONCILIATION and _BACKFILL to two percentages each, such as 50,70."
        return [Error(f"API calls cannot be shared: {error}.", hint=hint, id="crm_events.E007")]
    return []
