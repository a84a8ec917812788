"""Production adapters for tests that name none: one prefix for each process, emptied after a test, not made anew."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from crm_events.adapters.dynamodb.batches import batch_write
from crm_events.adapters.dynamodb.connection import Connection
from crm_events.adapters.dynamodb.event_store import DynamoDBEventStore
from crm_events.adapters.dynamodb.tables import Tables, TableSchema
from crm_projections.adapters.eventbridge import EventBridgeBroadcaster
from crm_projections.adapters.opensearch.connection import Call
from crm_projections.adapters.opensearch.read_model import OpenSearchReadModel
from crm_projections.ports.read_model import Document, Generation, SaveResult
from tests.buses import BusWithQueue
from tests.engines.dynamodb_tables import a_prefix, a_store

_LIMIT: Final = 256 * 1024
_SOURCE: Final = "client-management"


class Pool:
    """The tables, indices and bus that the tests of one process share, one after the other."""

    def __init__(self) -> None:
        self.prefix = a_prefix()
        self.dynamodb = Connection()
        self.opensearch_url = ""
        self._queue: BusWithQueue | None = None
        self._sent: dict[str, dict[str, Any]] = {}

    @contextmanager
    def serving(self, dynamodb_endpoint: str, opensearch_url: str, aws_endpoint: str) -> Iterator[None]:
        """Make tables and bus, and remove everything at the end."""
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = dynamodb_endpoint
        os.environ["AWS_ENDPOINT_URL"] = aws_endpoint
        self.opensearch_url = opensearch_url
        with a_store(self.dynamodb, self.prefix), BusWithQueue({"source": [_SOURCE]}) as self._queue:
            yield
            self._call(Call("DELETE", f"/{self.prefix}*"))
            self._call(Call("DELETE", f"/_index_template/{self.prefix}-documents", accept=(404,)))

    @property
    def queue(self) -> BusWithQueue:
        """The bus, and what arrives from it."""
        assert self._queue is not None, "the pool serves no test"
        return self._queue

    def sent(self) -> list[dict[str, Any]]:
        """Return the details of what came out of the bus in this test, each message once."""
        for event in self.queue.drain():
            self._sent.setdefault(event["resources"][0], event["detail"])
        return list(self._sent.values())

    def empty(self) -> None:
        """Remove whatever a test left."""
        for schema in Tables(self.prefix).schemas():
            self._empty_table(schema)
        # The list of generations is emptied: to make its index anew is what would take longest.
        self._call(Call("DELETE", f"/{self.prefix}-*"))
        generations = f"/{self.prefix}.generations"
        self._call(Call("POST", f"{generations}/_refresh", accept=(404,)))
        everything: dict[str, Any] = {"query": {"match_all": {}}}
        self._call(Call("POST", f"{generations}/_delete_by_query", everything, {"refresh": "true"}, accept=(404,)))
        self.sent()
        self._sent.clear()

    def _empty_table(self, schema: TableSchema) -> None:
        names = [schema.key.partition[0], schema.key.sort[0]]
        wanted: dict[str, Any] = {"TableName": schema.name, "ProjectionExpression": ", ".join(names)}
        while True:
            page = self.dynamodb.call("scan", **wanted)
            batch_write(self.dynamodb, schema.name, [{"DeleteRequest": {"Key": key}} for key in page["Items"]])
            if "LastEvaluatedKey" not in page:
                return
            wanted["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _call(self, call: Call) -> None:
        PooledReadModel()._connection.call(call)


POOL: Final = Pool()


class PooledEventStore(DynamoDBEventStore):
    """The log of this process's tests."""

    def __init__(self) -> None:
        super().__init__(POOL.prefix, POOL.dynamodb)


class PooledReadModel(OpenSearchReadModel):
    """The documents of this process's tests; searches see at once what was saved, as on SQL."""

    def __init__(self) -> None:
        super().__init__(hosts=[POOL.opensearch_url], index_prefix=POOL.prefix)

    def save_many(self, generation: Generation, documents: Sequence[Document]) -> list[SaveResult]:
        saved = super().save_many(generation, documents)
        self.refresh(generation.entity)
        return saved


class PooledBroadcaster(EventBridgeBroadcaster):
    """The bus of this process's tests."""

    def __init__(self) -> None:
        super().__init__(POOL.queue.name, _SOURCE, _LIMIT, "http://127.0.0.1:8000")
