"""The write side's adapters, named in settings and built once per process."""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple, cast

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.utils.module_loading import import_string

from crm_events.ports.api_budget import ApiBudget
from crm_events.ports.crm_source import CrmSource, NoSourceError
from crm_events.ports.dead_letters import DeadLetters
from crm_events.ports.drift_report import DriftReport
from crm_events.ports.event_store import EventStore
from crm_events.ports.leases import Leases
from crm_events.ports.runs import Runs


def build_adapter(choice: dict[str, Any]) -> Any:
    """Build the adapter that a ``{"BACKEND": path, "OPTIONS": {...}}`` setting names.

    :raises ImportError: the path names nothing.
    """
    return import_string(choice["BACKEND"])(**choice["OPTIONS"])


class AdapterSetting(NamedTuple):
    """A setting that chooses an adapter: its name, its port, and the id of the message if it is wrong."""

    setting: str
    port: type
    message_id: str
    hint: str


def check_adapter(choice: AdapterSetting) -> list[CheckMessage]:
    """Return what is wrong with an adapter setting, if anything; nothing is built, nothing connects."""
    value: Any = getattr(settings, choice.setting, None)
    if not isinstance(value, Mapping) or set(value) != {"BACKEND", "OPTIONS"}:
        return [Error(f"{choice.setting} must hold BACKEND and OPTIONS.", hint=choice.hint, id=choice.message_id)]
    path = value["BACKEND"]
    try:
        found = import_string(path)
    except ImportError as error:
        return [Error(f"{choice.setting} names {path!r}: {error}.", hint=choice.hint, id=choice.message_id)]
    if not (isinstance(found, type) and issubclass(found, choice.port)):
        text = f"{choice.setting} names {path!r}, which is no {choice.port.__name__}."
        return [Error(text, hint=choice.hint, id=choice.message_id)]
    return []


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


def has_crm_source() -> bool:
    """Say whether a source is set up, so that work which reads Salesforce makes sense."""
    return settings.CRM_SOURCE is not None


@cache
def crm_source() -> CrmSource:
    """Return the process's source.

    :raises NoSourceError: none is set up.
    :raises SourceAccessError: its settings are not complete.
    """
    if settings.CRM_SOURCE is None:
        raise NoSourceError
    return cast("CrmSource", build_adapter(settings.CRM_SOURCE))


@cache
def drift_report() -> DriftReport:
    """Return the process's report of differences."""
    return cast("DriftReport", build_adapter(settings.CRM_DRIFT_REPORT))


@cache
def api_budget() -> ApiBudget:
    """Return the process's view of the one budget of API calls."""
    return cast("ApiBudget", build_adapter(settings.CRM_API_BUDGET))
