"""What all endpoints have in common."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.views import APIView

from crm_api.freshness import freshness
from crm_api.models import ApiKey
from crm_api.parameters import Parameters


class Endpoint(APIView):
    """An endpoint with its scopes by method (any one of them is enough), and its parameters read strictly."""

    scopes: ClassVar[Mapping[str, Sequence[str]]] = {"GET": ["read"]}

    def read_parameters(self) -> Parameters:
        """Return the parameters of the request.

        :raises ParametersError: the query string itself is broken.
        """
        return Parameters(self.request.META.get("QUERY_STRING", ""))

    @property
    def key(self) -> ApiKey:
        """Return the key of the request."""
        key = self.request.auth
        assert isinstance(key, ApiKey)  # noqa: S101  # HasScope let nobody else in
        return key

    def options(self, request: Request, *_args: Any, **_kwargs: Any) -> HttpResponse:  # type: ignore[override]  # noqa: ARG002
        """Say in the header Allow which methods the address takes."""
        return HttpResponse(status=204)


class ReadEndpoint(Endpoint):
    """An endpoint on the read side; every answer of it says how fresh the read model is."""

    def finalize_response(  # type: ignore[override]  # the stubs know no plain HttpResponse
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Add the headers of freshness."""
        finished = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[arg-type]
        if finished.status_code != HTTPStatus.UNAUTHORIZED:
            for name, value in freshness.headers(timezone.now()).items():
                finished[name] = value
        return finished
