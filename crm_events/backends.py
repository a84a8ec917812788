"""The write side's adapters, named in settings and built once per process."""

from functools import cache
from typing import Any, cast

from django.conf import settings
from django.utils.module_loading import import_string

from crm_events.ports.dead_letters import DeadLetters
from crm_events.ports.event_store import EventStore
from crm_events.ports.leases import Leases
from crm_events.ports.runs import Runs


def build_adapter(choice: dict[str, Any]) -> Any:
    """Build the adapter that a ``{"BACKEND": path, "OPTIONS": {...}}`` setting names.

    :raises ImportError: the path names nothing.
    """
    return import_string(choice["BACKEND"])(**choice["OPTIONS"])


@cache
def event_store() -> EventStore:
    """Return the process's event store."""
    return cast("EventStore", build_adapter(settings.CRM_EVENT_STORE))


@cache
def dead_letters() -> DeadLetters:
    """Return the process's dead letters."""
    return cast("DeadLetters", build_adapter(settings.CRM_DEAD_LETTERS))


@cache
def runs() -> Runs:
    """Return the process's runs."""
    return cast("Runs", build_adapter(settings.CRM_RUNS))


@cache
def leases() -> Leases:
    """Return the process's leases."""
    return cast("Leases", build_adapter(settings.CRM_LEASES))
