"""Post events to a service over HTTP, patiently: a sender that waits when told to, and says plainly why it gives up."""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from crm_events.domain.errors import CrmError
from crm_events.domain.outcomes import Outcome

_TIMEOUT_SECONDS = 60
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 5.0
_LONGEST_RETRY_AFTER = 300.0
# Of a service that is busy or down for a moment, or of a proxy before it.
_TRY_AGAIN = frozenset({429, 502, 503, 504})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class PostingError(CrmError):
    """The service cannot be reached, or does not take what is sent."""


class StoppedError(PostingError):
    """Somebody asked to stop."""


class UnreachableError(PostingError):
    """The service did not answer, or was not ready, for as long as we were to wait."""

    def __init__(self, url: str, seconds: float, reason: str) -> None:
        super().__init__(url, seconds, reason)
        self.url = url
        self.seconds = seconds
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"{self.url} did not answer as it should for {self.seconds:.0f} seconds: {self.reason}."
            " Next: see that the service runs there, then run the same command again."
        )


class RefusedError(PostingError):
    """The service answered, and did not take the request."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail

    def __str__(self) -> str:
        return f"The service refused with status {self.status}: {self.detail}"


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """How far a delivery has come (``accepted``, ``recorded``, ``projected``), and what became of its items."""

    status: str
    outcomes: Sequence[Outcome]


class EventPoster:
    """A connection to a service at ``url``; waits out short failures for at most ``patience`` seconds each.

    Setting ``stop`` ends any wait with ``StoppedError``. Every method may raise that, ``UnreachableError`` and
    ``RefusedError``.
    """

    def __init__(self, url: str, key: str, stop: threading.Event, patience: float = 60.0) -> None:
        self._url = url.rstrip("/")
        self._stop = stop
        self._patience = patience
        self._session = requests.Session()
        # A proxy is no way to this very machine.
        self._session.trust_env = urlsplit(url).hostname not in _LOOPBACK
        self._session.auth = _BearerKey(key)

    def post(self, body: bytes) -> str:
        """Post a JSON object or array of events, and return the id of the stored delivery."""
        answer = self._request("POST", "/api/v1/events/", data=body, headers={"Content-Type": "application/json"})
        return str(self._json(answer)["delivery"])

    def report(self, delivery_id: str) -> DeliveryReport:
        """Return what became of a delivery."""
        answer = self._json(self._request("GET", f"/api/v1/deliveries/{delivery_id}/"))
        return DeliveryReport(str(answer["status"]), [Outcome(**outcome) for outcome in answer["outcomes"]])

    def pause(self, seconds: float) -> None:
        """Wait, unless somebody asks to stop."""
        if self._stop.wait(seconds):
            raise StoppedError

    def _request(self, method: str, path: str, **arguments: Any) -> requests.Response:
        deadline = time.monotonic() + self._patience
        for pause in _pauses():
            answer, reason = self._try(method, path, **arguments)
            if answer is not None and answer.status_code not in _TRY_AGAIN:
                return self._accepted(answer)
            seconds = pause if answer is None else _retry_after(answer, pause)
            if answer is not None and answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                deadline += seconds  # it works, and only wants us to be slower
            if time.monotonic() + seconds > deadline:
                break
            self.pause(seconds)
        raise UnreachableError(self._url, self._patience, reason)

    def _try(self, method: str, path: str, **arguments: Any) -> tuple[requests.Response | None, str]:
        if self._stop.is_set():
            raise StoppedError
        try:
            answer = self._session.request(
                method, self._url + path, timeout=_TIMEOUT_SECONDS, allow_redirects=False, **arguments
            )
        except (requests.ConnectionError, requests.Timeout) as error:
            return None, _plain_reason(error)
        except requests.RequestException as error:
            raise RefusedError(0, f"{error}. Next: correct the address {self._url}.") from error
        return answer, f"it answered with status {answer.status_code}"

    def _accepted(self, answer: requests.Response) -> requests.Response:
        if answer.is_redirect:
            raise RefusedError(answer.status_code, f"it sends us on to {answer.headers['Location']}. Next: use that.")
        if not answer.ok:
            raise RefusedError(answer.status_code, _detail(answer))
        return answer

    def _json(self, answer: requests.Response) -> dict[str, Any]:
        try:
            body = answer.json()
        except requests.JSONDecodeError:
            body = None
        if not isinstance(body, dict):
            raise RefusedError(answer.status_code, f"what answers at {self._url} is not this service.")
        return body


class _BearerKey(AuthBase):
    # Not a header of the session: a .netrc with an entry for the host would replace it.
    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


def _pauses() -> Iterator[float]:
    pause = _FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * 2, _LONGEST_PAUSE)


def _retry_after(answer: requests.Response, default: float) -> float:
    text = answer.headers.get("Retry-After", "")
    return min(float(text), _LONGEST_RETRY_AFTER) if text.isdecimal() else default


def _plain_reason(error: requests.RequestException) -> str:
    return "no answer in time" if isinstance(error, requests.Timeout) else "no connection"


def _detail(answer: requests.Response) -> str:
    """Return the detail of a problem document, or else the beginning of whatever came."""
    try:
        return str(answer.json()["detail"])
    except (requests.JSONDecodeError, KeyError, TypeError):
        return answer.text[:200] or answer.reason
