import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from config.middleware import ContentSecurityPolicyMiddleware


def _policy(path: str) -> str:
    answer = ContentSecurityPolicyMiddleware(lambda _: HttpResponse())(RequestFactory().get(path))
    return answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/", "/api/v1/clients/", "/health/live", "/administration"])
def test_allows_no_inline_code_outside_the_console(path: str) -> None:
    assert "default-src 'self'" in _policy(path)
    assert "unsafe" not in _policy(path)


def test_lets_no_page_load_from_elsewhere() -> None:
    assert all("http" not in _policy(path) and "*" not in _policy(path) for path in ["/", "/admin/", "/api/docs/"])
