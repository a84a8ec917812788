"""One OpenSearch client for each process: hosts, credentials, time limits, and what is tried again."""

import os
import random
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

import orjson
from opensearchpy import JSONSerializer, OpenSearch
from opensearchpy.exceptions import ConnectionTimeout, OpenSearchException, SerializationError, TransportError

from crm_projections.adapters.opensearch.credentials import Credentials
from crm_projections.adapters.opensearch.errors import is_worth_another_try, translate

SHORT, LONG = 15.0, 60.0  # seconds to wait for the answer of a read, and of a batch or a change of indices
_MAX_CONNECTIONS = 32
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 3.0
READ_ATTEMPTS: Final = 3
WRITE_ATTEMPTS: Final = 6


@dataclass(frozen=True, slots=True)
class Call:
    """A request: ``body`` is JSON's Python form, or the bytes of a bulk request.

    ``accept`` are error statuses that are answers to the caller, who gets their body. A call that did not answer in
    time is made again only if ``is_repeatable``.
    """

    method: str
    path: str
    body: Any = None
    params: Mapping[str, Any] | None = None
    accept: Collection[int] = ()
    timeout: float = SHORT
    attempts: int = READ_ATTEMPTS
    repeat_on_timeout: bool = False


class OrjsonSerializer(JSONSerializer):
    """JSON by orjson; bytes are sent as they are."""

    def loads(self, s: str) -> Any:
        try:
            return orjson.loads(s)
        except orjson.JSONDecodeError as error:
            raise SerializationError(s[:500], error) from error

    def dumps(self, data: Any) -> Any:
        return data if isinstance(data, str | bytes) else orjson.dumps(data)


class Connection:
    """Requests to one cluster; safe for threads, and for processes that fork after it was made."""

    def __init__(self, hosts: Sequence[str], credentials: Credentials, ca_certs: str) -> None:
        self._hosts = list(hosts)
        self._credentials = credentials
        self._ca_certs = ca_certs
        self._lock = Lock()
        self._client: tuple[int, OpenSearch] | None = None

    @property
    def where(self) -> str:
        """Return the hosts as an operator named them, without their passwords."""
        return ", ".join(host.rpartition("@")[2] if "@" in host else host for host in self._hosts)

    def call(self, call: Call) -> Any:
        """Make a request, again after a pause where that may help, and return the JSON of the answer.

        :raises ReadModelUnavailableError: the cluster does not answer, or refuses for now.
        :raises ReadModelError: it refuses for good.
        """
        for attempt in range(1, call.attempts + 1):
            try:
                return self._send(call)
            except (TransportError, SerializationError) as error:
                if attempt == call.attempts or not _may_repeat(call, error):
                    raise translate(error, self.where) from error
            pause(attempt)
        raise AssertionError("unreachable")

    def _send(self, call: Call) -> Any:
        return self._own_client().transport.perform_request(
            call.method,
            call.path,
            params={**(call.params or {}), "request_timeout": call.timeout, "ignore": tuple(call.accept)},
            body=call.body,
            headers={"content-type": "application/x-ndjson"} if isinstance(call.body, bytes) else None,
        )

    def _own_client(self) -> OpenSearch:
        """Return this process's client: sockets must not be shared with a process that this one was forked from."""
        pid = os.getpid()
        held = self._client
        if held is None or held[0] != pid:
            with self._lock:
                held = self._client
                if held is None or held[0] != pid:
                    held = self._client = (pid, self._build())
        return held[1]

    def _build(self) -> OpenSearch:
        try:
            return OpenSearch(
                self._hosts,
                http_auth=self._credentials.http_auth(),
                ca_certs=self._ca_certs or None,
                serializer=OrjsonSerializer(),
                # Measured on one machine: packing a bulk request costs more than it saves.
                http_compress=False,
                pool_maxsize=_MAX_CONNECTIONS,
                max_retries=0,  # what may be tried again is decided here, with pauses
            )
        except (OpenSearchException, OSError) as error:
            raise translate(error, self.where) from error


def pause(attempt: int) -> None:
    """Wait before the next attempt: longer each time, and not together with all others."""
    time.sleep(random.uniform(0.5, 1.0) * min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt))  # noqa: S311  # no secret


def _may_repeat(call: Call, error: OpenSearchException) -> bool:
    if isinstance(error, ConnectionTimeout):
        return call.repeat_on_timeout
    return is_worth_another_try(error)
