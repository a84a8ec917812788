"""The write side's adapters, named in settings and built once per process."""

from functools import cache
from typing import Any, cast

from django.conf import settings
from django.utils.module_loading import import_string

from crm_events.ports.event_store import EventStore


def build_adapter(choice: dict[str, Any]) -> Any:
    """Build the adapter that a ``{"BACKEND": path, "OPTIONS": {...}}`` setting names.

    :raises ImportError: the path names nothing.
    """
    return import_string(choice["BACKEND"])(**choice["OPTIONS"])


@cache
def event_store() -> EventStore:
    """Return the process's event store."""
    return cast(EventStore, build_adapter(settings.CRM_EVENT_STORE))
