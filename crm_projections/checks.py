"""Checks that the read side's adapters exist and are of the right kind."""

from typing import Any

from django.core.checks import CheckMessage, register

from crm_events.backends import AdapterSetting, check_adapter
from crm_projections.ports.broadcaster import Broadcaster
from crm_projections.ports.read_model import ReadModel

CHOICES = (
    AdapterSetting(
        "CRM_READ_MODEL", ReadModel, "crm_projections.E001", "Set READ_MODEL to sql, or to the dotted path of a class."
    ),
    AdapterSetting(
        "CRM_BROADCASTER",
        Broadcaster,
        "crm_projections.E002",
        "Set BROADCASTER to outbox, or to a class's dotted path.",
    ),
)


@register()
def check_adapters(**_: Any) -> list[CheckMessage]:
    """Check the read side's adapters."""
    return [message for choice in CHOICES for message in check_adapter(choice)]
