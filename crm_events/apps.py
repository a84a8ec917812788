"""The write side as a Django app."""

from django.apps import AppConfig


class CrmEventsConfig(AppConfig):
    """Deliveries, the event log, dead letters."""

    name = "crm_events"
    verbose_name = "Events"
