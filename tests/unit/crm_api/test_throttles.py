import pytest
from django.core.cache import cache
from django.test import RequestFactory
from pytest_django import Settings
from rest_framework.request import Request

from crm_api.errors import RateExceededError
from crm_api.models import ApiKey
from crm_api.throttles import KeyThrottle, parse_rate


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


def _allowed(at: float, key: int = 1) -> bool:
    throttle = KeyThrottle()
    throttle.clock = lambda: at
    request = Request(RequestFactory().get("/"))
    request.auth = ApiKey(pk=key)
    return throttle.allow_request(request, None)


def test_allows_as_many_as_the_rate_then_says_when_the_window_ends(settings: Settings) -> None:
    settings.CRM_API_RATE = "2/min"
    assert _allowed(at=600.0)
    assert _allowed(at=601.0)
    with pytest.raises(RateExceededError) as caught:
        _allowed(at=617.5)
    assert caught.value.retry_after == 43


def test_begins_anew_in_the_next_window(settings: Settings) -> None:
    settings.CRM_API_RATE = "1/min"
    assert _allowed(at=659.9)
    assert _allowed(at=660.0)


def test_counts_each_key_for_itself(settings: Settings) -> None:
    settings.CRM_API_RATE = "1/min"
    assert _allowed(at=600.0, key=1)
    assert _allowed(at=600.0, key=2)


@pytest.mark.parametrize("rate", ["", "0"])
def test_no_rate_is_no_limit(settings: Settings, rate: str) -> None:
    settings.CRM_API_RATE = rate
    assert all(_allowed(at=600.0) for _ in range(5))


@pytest.mark.parametrize(("text", "rate"), [("6000/min", (6000, 60)), ("5/s", (5, 1)), ("1/hour", (1, 3600))])
def test_a_rate_is_requests_and_seconds(text: str, rate: tuple[int, int]) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["6000", "x/min", "0/min", "-1/min", "5/fortnight", "5/"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no rate"):
        parse_rate(text)
