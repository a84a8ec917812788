"""The API's description of itself: OpenAPI, Swagger UI, the schema of broadcast messages."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import orjson
from django.apps import apps
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve, reverse
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.request import Request

from crm_api.authentication import ApiKeyAuthentication, HasScope, StaffSessionAuthentication
from crm_api.errors import KeyRequiredError
from crm_api.openapi import errors
from crm_api.problems import problem_response
from crm_api.views.base import Endpoint

_MESSAGE_SCHEMA = "message_schema.json"
_READERS = (ApiKeyAuthentication, StaffSessionAuthentication)


class OpenApi(Endpoint):
    """The OpenAPI document, made once per process; a console session may read it too, for Swagger UI."""

    authentication_classes = _READERS

    @extend_schema(
        operation_id="schema_get",
        tags=["Description"],
        summary="This document",
        description="OpenAPI 3.1. Scope: read.",
        responses={(200, "application/vnd.oai.openapi+json"): {"type": "object"}, **errors(400, 401, 403, 429)},
    )
    def get(self, request: Request) -> HttpResponse:  # noqa: ARG002  # the framework's signature
        """Return the document."""
        self.read_parameters().finish([])
        return HttpResponse(openapi_document(), content_type="application/vnd.oai.openapi+json")


class MessageSchema(Endpoint):
    """The JSON Schema of the broadcast messages."""

    authentication_classes = _READERS

    @extend_schema(
        operation_id="message_schema_get",
        tags=["Description"],
        summary="JSON Schema of the broadcast message",
        description="What downstream systems get for every changed entity. Scope: read.",
        responses={(200, "application/schema+json"): {"type": "object"}, **errors(400, 401, 403, 429)},
    )
    def get(self, request: Request) -> HttpResponse:  # noqa: ARG002  # the framework's signature
        """Return the schema."""
        self.read_parameters().finish([])
        return HttpResponse(_message_schema(), content_type="application/schema+json")


class Docs(SpectacularSwaggerSplitView):
    """Swagger UI, from files of this service alone; a browser without a session is sent to the console's login."""

    authentication_classes: ClassVar[Sequence[type]] = _READERS  # type: ignore[misc]
    permission_classes: ClassVar[Sequence[type]] = (HasScope,)  # type: ignore[misc]
    scopes: ClassVar[Mapping[str, Sequence[str]]] = {"GET": ["read"]}
    template_name = "crm_api/docs.html"
    url_name = "schema"

    def handle_exception(self, exc: Exception) -> HttpResponseBase:  # type: ignore[override]  # as in base.py
        """Send a browser to the login page."""
        if isinstance(exc, KeyRequiredError):
            return redirect_to_login(self.request.get_full_path(), reverse("admin:login"))
        return super().handle_exception(exc)


@cache
def openapi_document() -> bytes:
    """Return the OpenAPI document as JSON."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    return orjson.dumps(generator.get_schema(request=None, public=True))  # type: ignore[no-untyped-call]


@cache
def _message_schema() -> bytes:
    return (Path(apps.get_app_config("crm_projections").path) / _MESSAGE_SCHEMA).read_bytes()


@csrf_exempt
def unknown_address(request: HttpRequest, **_names: Any) -> HttpResponse:
    """Answer what no other address of the API does; a missing last slash is put right, whatever the method."""
    if not request.path.endswith("/") and _leads_somewhere(f"{request.path}/"):
        query = request.META.get("QUERY_STRING", "")
        response = HttpResponseRedirect(f"{request.path}/{'?' if query else ''}{query}")
        # 308 keeps method and body, which the usual 301 loses.
        response.status_code = 308
        return response
    return problem_response(Http404())


def _leads_somewhere(path: str) -> bool:
    try:
        return resolve(path).func is not unknown_address
    except Resolver404:
        return False
