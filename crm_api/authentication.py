"""API keys as the API framework wants them: authentication, permission, and their description.

The framework's views are not imported here: they import this module while they are loaded.
"""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from crm_api.auth import find_key, require_scope
from crm_api.errors import KeyRequiredError
from crm_api.models import ApiKey


class ApiKeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer KEY``; the key's row is both user and auth of the request."""

    def authenticate(self, request: Request) -> tuple[Any, ApiKey] | None:
        """Return the key, or ``None`` without a header."""
        key = find_key(request.META.get("HTTP_AUTHORIZATION", ""), timezone.now())
        return None if key is None else (key, key)

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002  # the framework's signature
        """Return the challenge of a 401."""
        return "Bearer"


class StaffSessionAuthentication(BaseAuthentication):
    """Somebody logged in to the console; only for reading the API's description in a browser."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        """Return the console user, or ``None``."""
        user = getattr(request._request, "user", None)  # noqa: SLF001  # as the framework's own session class does
        return (user, None) if user is not None and user.is_active and user.is_staff else None


class HasScope(BasePermission):
    """Require one of the scopes that the view names for the method in ``scopes``."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Return true, or raise the error that says what is missing."""
        method = "GET" if request.method == "HEAD" else request.method
        scopes: Sequence[str] = getattr(view, "scopes", {}).get(method, ())
        if isinstance(request.auth, ApiKey):
            if scopes:
                require_scope(request.auth, scopes)
        elif not request.user.is_authenticated:
            raise KeyRequiredError
        return True


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the API's description names the bearer key."""

    target_class = "crm_api.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002  # the framework's signature
        """Return the security scheme object."""
        return {"type": "http", "scheme": "bearer", "description": "An API key, made with `manage.py create_api_key`."}


class StaffSessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the API's description names the console's session, which only its own two addresses take."""

    target_class = "crm_api.authentication.StaffSessionAuthentication"
    name = "consoleSession"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002  # the framework's signature
        """Return the security scheme object."""
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}
