"""Headers that every answer carries."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

STRICT = "default-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
# Unfold's Alpine evaluates expressions and sets styles; Swagger UI styles its elements and draws icons from data URLs.
CONSOLE = f"{STRICT}; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
DOCS = f"{STRICT}; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
_BY_PREFIX = (("/admin/", CONSOLE), ("/api/docs/", DOCS))


class ContentSecurityPolicyMiddleware:
    """Let a page load only what the service itself serves; the console and the API's pages get what they need more."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer with the policy of the page."""
        response = self.get_response(request)
        policy = next((policy for prefix, policy in _BY_PREFIX if request.path.startswith(prefix)), STRICT)
        response.headers.setdefault("Content-Security-Policy", policy)
        return response
