"""How often one key may call."""

import math
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.cache import caches
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from crm_api.errors import RateExceededError
from crm_api.models import ApiKey

_PERIODS = {"s": 1, "sec": 1, "second": 1, "min": 60, "m": 60, "minute": 60, "h": 3600, "hour": 3600}


def parse_rate(rate: str) -> tuple[int, int] | None:
    """Return (requests, seconds) of a rate such as ``6000/min``, or ``None`` for ``0`` or nothing: no limit.

    :raises ValueError: the text is no rate.
    """
    if rate in ("", "0"):
        return None
    number, _, period = rate.partition("/")
    if not number.isdecimal() or int(number) < 1 or period not in _PERIODS:
        raise ValueError(f"“{rate}” is no rate; write for example 6000/min, or 0 for no limit.")
    return int(number), _PERIODS[period]


class KeyThrottle(BaseThrottle):
    """Count a key's requests in fixed windows of time in Django's cache.

    A counter costs the same at any rate; at the edge of two windows a caller may get up to twice the rate, which a
    limit against runaway callers can bear. With a cache for each process, each process counts for itself.
    """

    clock: Callable[[], float] = staticmethod(time.time)

    def allow_request(self, request: Request, view: Any) -> bool:  # noqa: ARG002  # the framework's signature
        """Return true, or raise ``RateExceededError``."""
        rate = parse_rate(settings.CRM_API_RATE)
        if rate is None or not isinstance(request.auth, ApiKey):
            return True
        allowed, seconds = rate
        now = self.clock()
        window = int(now // seconds)
        if _count(f"api-rate:{request.auth.pk}:{window}", seconds) > allowed:
            raise RateExceededError(settings.CRM_API_RATE, math.ceil((window + 1) * seconds - now) or 1)
        return True


def _count(name: str, seconds: int) -> int:
    cache = caches["default"]
    # Twice the window, so that clocks of two processes that differ a little share the counter.
    cache.add(name, 0, timeout=2 * seconds)
    try:
        return cache.incr(name)
    except ValueError:  # it expired, or was evicted, between the two calls
        return 1
