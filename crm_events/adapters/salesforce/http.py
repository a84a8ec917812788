"""The HTTP session beneath simple-salesforce, which knows neither timeouts nor other hosts than Salesforce's."""

from collections.abc import Callable
from threading import local
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from crm_events.adapters.salesforce.options import Options

_POOL = 32


class SalesforceHttp(requests.Session):
    """Give every call its timeouts, and send it where the settings say.

    ``answered`` is told of each answer of the API, errors too. Redirects are not followed: an API has none, and a
    token must not travel to another host.
    """

    def __init__(self, options: Options, answered: Callable[[requests.Response], None]) -> None:
        super().__init__()
        self._library_url = options.library_url
        self._base_url = options.base_url
        self._timeouts = (options.connect_timeout, options.read_timeout)
        self._answered = answered
        self._thread = local()
        self.mount("https://", HTTPAdapter(pool_maxsize=_POOL))
        self.mount("http://", HTTPAdapter(pool_maxsize=_POOL))

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **options: Any) -> requests.Response:
        """Send a request; the address is the one the library made up."""
        address = url.decode() if isinstance(url, bytes) else url
        if address.startswith(f"{self._library_url}/"):
            address = self._base_url + address[len(self._library_url) :]
        options.setdefault("timeout", self._timeouts)
        options.setdefault("allow_redirects", False)
        self._thread.retry_after = None
        response = super().request(method, address, *args, **options)
        self._thread.retry_after = response.headers.get("Retry-After")
        if "/services/data/" in address:
            self._answered(response)
        return response

    @property
    def retry_after(self) -> float | None:
        """Return how many seconds the last answer in this thread asked to wait, if it did."""
        text = getattr(self._thread, "retry_after", None)
        return float(text) if text and text.isdecimal() else None
