"""The SQL event store's private tables as a Django app."""

from django.apps import AppConfig


class SqlEventStoreConfig(AppConfig):
    """Tables that only ``SQLEventStore`` may touch."""

    name = "crm_events.adapters.sql"
    label = "crm_events_sql"
    verbose_name = "SQL event store"
