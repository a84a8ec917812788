"""The private tables of the SQL read model and the outbox log as a Django app."""

from django.apps import AppConfig


class SqlReadSideConfig(AppConfig):
    """Tables that only ``SQLReadModel`` and ``OutboxBroadcaster`` may touch."""

    name = "crm_projections.adapters.sql"
    label = "crm_projections_sql"
    verbose_name = "SQL read side"
