"""The read side as a Django app."""

from django.apps import AppConfig


class CrmProjectionsConfig(AppConfig):
    """Projector, rebuild, replay."""

    name = "crm_projections"
    verbose_name = "Projections"

    def ready(self) -> None:
        """Register the checks of the read side's settings."""
        from crm_projections import checks  # noqa: F401, PLC0415  # needs loaded settings
