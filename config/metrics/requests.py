"""Durations of requests, by route."""

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from config.metrics.instruments import request_seconds

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestMetricsMiddleware:
    """Observe every request; it stands first, so its time is what the caller waited for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, and count how long it took."""
        started = time.perf_counter()
        response = self.get_response(request)
        # The pattern, never the path, and no invented methods: labels must stay few whatever callers send.
        route = request.resolver_match.route if request.resolver_match else "unmatched"
        method = request.method if request.method in _METHODS else "other"
        request_seconds.labels(method, route, response.status_code).observe(time.perf_counter() - started)
        return response
