"""An HTTP connection to the service that stays open between calls."""

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final
from urllib.parse import urlsplit

# Below what load balancers and the service's own server keep an idle connection.
_IDLE_SECONDS: Final = 45.0
_ANSWER_BYTES: Final = 64 * 1024
_local = threading.local()


class UnreachableError(Exception):
    """No answer came."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and (the beginning of the) body."""

    status: int
    body: bytes


class Connection:
    """One connection of one thread. ``url`` has scheme, host, port and a path that is put before every other."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._http = kind(parts.hostname or "", parts.port)
        self._prefix = parts.path.rstrip("/")
        self._used_at = 0.0

    def post(self, path: str, body: bytes, headers: Mapping[str, str], timeout: Callable[[], float]) -> Answer:
        """Post a body that may safely be posted twice.

        A connection that was kept may have been closed by the other side meanwhile; then the body goes once more over a
        new one. ``timeout`` says, each time, how many seconds are left.

        :raises UnreachableError: no answer came in time.
        """
        if time.monotonic() - self._used_at > _IDLE_SECONDS:
            self._http.close()
        was_kept = self._http.sock is not None
        try:
            return self._exchange(path, body, headers, timeout())
        except (OSError, HTTPException) as error:
            self._http.close()
            if not was_kept or isinstance(error, TimeoutError):
                raise UnreachableError(_reason(error)) from error
        try:
            return self._exchange(path, body, headers, timeout())
        except (OSError, HTTPException) as error:
            self._http.close()
            raise UnreachableError(_reason(error)) from error

    def close(self) -> None:
        """Close the connection; the next post opens a new one."""
        self._http.close()

    def _exchange(self, path: str, body: bytes, headers: Mapping[str, str], timeout: float) -> Answer:
        self._http.timeout = timeout
        if self._http.sock is not None:
            self._http.sock.settimeout(timeout)
        try:
            self._http.request("POST", self._prefix + path, body, dict(headers))
        except (BrokenPipeError, ConnectionResetError):
            # A body that is too large may be answered before it is read to its end; the answer is still there to read.
            if self._http.sock is None:
                raise
        with self._http.getresponse() as response:
            answer = Answer(response.status, response.read(_ANSWER_BYTES))
            if response.read(1):
                self._http.close()
        self._used_at = time.monotonic()
        return answer


def connection_to(url: str) -> Connection:
    """Return this thread's connection to a service."""
    kept = _kept()
    # A forked child must not write into its parent's connection.
    place = (os.getpid(), url)
    if place not in kept:
        kept[place] = Connection(url)
    return kept[place]


def close_connections() -> None:
    """Close this thread's connections, for whoever forwards no more."""
    for connection in _kept().values():
        connection.close()


def _kept() -> dict[tuple[int, str], Connection]:
    kept: dict[tuple[int, str], Connection] = _local.__dict__.setdefault("kept", {})
    return kept


def _reason(error: Exception) -> str:
    return "no answer in time" if isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"
