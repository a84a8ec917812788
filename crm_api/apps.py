"""The HTTP API as a Django app."""

from importlib import import_module

from django.apps import AppConfig


class CrmApiConfig(AppConfig):
    """API keys and the endpoints."""

    name = "crm_api"
    verbose_name = "API"

    def ready(self) -> None:
        """Register the system checks."""
        import_module("crm_api.checks")
