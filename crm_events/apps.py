"""The write side as a Django app."""

from django.apps import AppConfig


class CrmEventsConfig(AppConfig):
    """Deliveries, the event log, dead letters."""

    name = "crm_events"
    verbose_name = "Events"

    def ready(self) -> None:
        """Register the checks of the write side's settings."""
        from crm_events import checks  # noqa: F401, PLC0415  # needs loaded settings
