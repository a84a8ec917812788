"""The one client of a process and its bounded threads: every call to DynamoDB goes through here."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from crm_events.adapters.dynamodb.capacity import KINDS, count_consumed
from crm_events.adapters.dynamodb.outages import MissingTableError, outage_of

_T = TypeVar("_T")
_R = TypeVar("_R")
_THREADS = 16
# The threads here and those that call from outside (web, worker) each find a connection open.
_CONNECTIONS = 64
_CONFIG = Config(
    # Adaptive: after throttling, the whole client slows down; waits grow and are random. A lost answer does no harm:
    # the tries of one call share its idempotency token, and every write here says what it expects to find.
    retries={"mode": "adaptive", "total_max_attempts": 4},
    connect_timeout=3,
    read_timeout=15,
    max_pool_connections=_CONNECTIONS,
    tcp_keepalive=True,
)


class _Resources(NamedTuple):
    client: BaseClient
    pool: ThreadPoolExecutor


class Connection:
    """Call DynamoDB, from any thread of any process that this object was made in or forked into.

    Address, region and credentials are boto3's own business (``AWS_ENDPOINT_URL_DYNAMODB`` ...) unless
    ``endpoint_url`` is given.
    """

    def __init__(self, endpoint_url: str | None = None) -> None:
        self._endpoint_url = endpoint_url
        # A forked child must use neither the sockets nor the threads of its parent. No lock: one that is held while
        # forking would stay held in the child for ever; two threads at once may make two, and one is kept.
        self._by_process: dict[int, _Resources] = {}

    @property
    def client(self) -> BaseClient:
        """The client of this process."""
        return self._resources().client

    def _resources(self) -> _Resources:
        process = os.getpid()
        return self._by_process.get(process) or self._by_process.setdefault(process, self._make())

    def _make(self) -> _Resources:
        client = boto3.session.Session().client("dynamodb", endpoint_url=self._endpoint_url, config=_CONFIG)
        return _Resources(client, ThreadPoolExecutor(_THREADS, thread_name_prefix="dynamodb"))

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call an operation by its name in boto3 and count what it consumed.

        :raises EventStoreUnavailableError: DynamoDB does not answer or refuses for now.
        :raises ClientError: it refuses for a reason that the caller must know.
        """
        if operation in KINDS:
            parameters["ReturnConsumedCapacity"] = "TOTAL"
        try:
            answer: dict[str, Any] = getattr(self.client, operation)(**parameters)
        except (ClientError, BotoCoreError) as error:
            outage = outage_of(error, parameters)
            if outage is None:
                raise
            raise outage from error
        count_consumed(operation, answer)
        return answer

    def describe(self, table: str) -> dict[str, Any] | None:
        """Return what DynamoDB says of a table, ``None`` if there is none.

        :raises EventStoreUnavailableError: DynamoDB does not answer or refuses for now.
        """
        try:
            return dict(self.call("describe_table", TableName=table)["Table"])
        except MissingTableError:
            return None

    def in_parallel(self, work: Callable[[_T], _R], items: Sequence[_T]) -> list[_R]:
        """Return what ``work`` makes of each item, in order. ``work`` must not call this itself: threads are few."""
        if len(items) <= 1:
            return [work(item) for item in items]
        return list(self._resources().pool.map(work, items))
