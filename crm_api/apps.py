"""The HTTP API as a Django app."""

from django.apps import AppConfig


class CrmApiConfig(AppConfig):
    """API keys and the endpoints."""

    name = "crm_api"
    verbose_name = "API"
