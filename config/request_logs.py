"""Who called, in the log line of every request."""

from typing import Any

from django.dispatch import receiver
from django.http import HttpRequest
from django_structlog.signals import bind_extra_request_finished_metadata

from crm_api.models import ApiKey


@receiver(bind_extra_request_finished_metadata)
def name_api_key(request: HttpRequest, log_kwargs: dict[str, Any], **_: Any) -> None:
    """Add the beginning of the API key, which the console shows too."""
    key = getattr(request, "user", None)
    if isinstance(key, ApiKey):
        log_kwargs["api_key"] = key.prefix
