"""The read side's adapters, named in settings and built once per process."""

from functools import cache
from typing import cast

from django.conf import settings

from crm_events.backends import build_adapter
from crm_projections.ports.broadcaster import Broadcaster
from crm_projections.ports.read_model import ReadModel


@cache
def read_model() -> ReadModel:
    """Return the process's read model."""
    return cast("ReadModel", build_adapter(settings.CRM_READ_MODEL))


@cache
def broadcaster() -> Broadcaster:
    """Return the process's broadcaster."""
    return cast("Broadcaster", build_adapter(settings.CRM_BROADCASTER))
