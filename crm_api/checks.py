"""What the API needs to be right before the service starts."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from crm_api.lists import RESERVED
from crm_api.throttles import parse_rate
from crm_mappings.registry import all_mappings


@register
def check_rate(**_kwargs: Any) -> list[CheckMessage]:
    """Check that the rate can be read."""
    try:
        parse_rate(settings.CRM_API_RATE)
    except ValueError as error:
        return [Error(f"API_RATE: {error}", hint="Set it to requests and period.", id="crm_api.E001")]
    return []


@register
def check_field_names(**_kwargs: Any) -> list[CheckMessage]:
    """Check that no field is named as a parameter of lists, which would hide it from filters."""
    return [
        Error(
            f"{mapping.entity}.{name} is named as a parameter of lists.",
            hint="Choose another name for the field.",
            id="crm_api.E002",
        )
        for mapping in all_mappings()
        for name in mapping.schema.by_name
        if name in RESERVED
    ]
