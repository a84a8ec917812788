"""The read side as a Django app."""

from django.apps import AppConfig


class CrmProjectionsConfig(AppConfig):
    """Projector, rebuild, replay."""

    name = "crm_projections"
    verbose_name = "Projections"
