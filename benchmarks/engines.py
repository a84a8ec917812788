"""The adapters of production against the raw engines, side by side; settings must name the engines."""

import base64
import math
import statistics
import uuid
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import Any
from unittest.mock import patch

import boto3
import orjson
from botocore.endpoint import Endpoint
from django.conf import settings
from django.test import Client
from opensearchpy import OpenSearch, Transport, helpers

from benchmarks import load, service
from benchmarks.api import PATHS, api_client
from benchmarks.naive import NaivePipeline
from benchmarks.report import Result, median_milliseconds, seconds
from crm_events.backends import event_store, runs
from crm_events.cdc import parse_item, split_body
from crm_events.domain.events import NewEvent
from crm_events.ports.event_store import StreamAppend
from crm_events.ports.provisioning import Provisioned
from crm_events.ports.runs import RunRequest, RunStatus
from crm_projections.backends import broadcaster, read_model
from crm_projections.entry import projector, runner

STREAMS = 100
APPEND_ROUNDS = 5
DOCUMENTS = 5_000
SEARCH_ROUNDS = 60
_accounts = count(1)


def use_prefix_of_its_own() -> None:
    """Keep tables and indices of the benchmark apart from everybody else's, and make them."""
    prefix = f"bench{uuid.uuid4().hex[:8]}"
    settings.CRM_EVENT_STORE["OPTIONS"]["table_prefix"] = prefix
    settings.CRM_READ_MODEL["OPTIONS"]["index_prefix"] = prefix
    for adapter in (event_store(), read_model(), broadcaster()):
        if not isinstance(adapter, Provisioned):
            raise SystemExit("The settings do not name the engines. Next: make bench-engines, which sets them.")
        adapter.provision()


def measure_append() -> list[Result]:
    """Append one event to each of 100 new streams, and put the same events and heads by hand."""
    client = boto3.client("dynamodb")
    table = f"{settings.CRM_EVENT_STORE['OPTIONS']['table_prefix']}-raw"
    _make_table(client, table)
    ours, raw, calls, units = [], [], [], []
    for _ in range(APPEND_ROUNDS):
        # In turns, so that both meet the same noise.
        events = _events(STREAMS)
        with _requests() as seen:
            ours.append(
                seconds(partial(event_store().append, [StreamAppend(e.stream, [e]) for e in events], service.now()))
            )
        calls.append(len(seen))
        units.append(sum(map(_units, seen)))
        raw.append(seconds(partial(_put_raw, client, table, events)))
        projector().project([event.stream for event in events], service.now())  # nothing shall wait for the others
    client.delete_table(TableName=table)
    rate, raw_rate = STREAMS / statistics.median(ours), STREAMS / statistics.median(raw)
    put = statistics.mean(math.ceil(len(event.raw.encode()) / 1024) for event in events)
    ours_units = statistics.median(units) / STREAMS
    ratio = statistics.median(one / other for one, other in zip(raw, ours, strict=True))
    return [
        Result(f"append to {STREAMS} streams", f"{rate:,.0f}/s", f"{raw_rate:,.0f}/s", f"{ratio:.2f} of raw", "-"),
        Result("calls of DynamoDB for an event", f"{statistics.median(calls) / STREAMS:.2f}", "0.02", "-", "-"),
        Result(
            "write units of an event, without indexes",
            f"{ours_units:.1f}",
            f"{put:.1f}",
            f"{ours_units / put:.1f}x",
            "-",
        ),
    ]


def measure_rebuild() -> list[Result]:
    """Rebuild an entity from the log, and index the same documents by hand."""
    for body in load.bodies([load.change(next(_accounts), 0) for _ in range(DOCUMENTS)], 500):
        service.accept(body)
    service.drain()
    rebuild = seconds(_rebuild)
    client = OpenSearch(settings.CRM_READ_MODEL["OPTIONS"]["hosts"], timeout=120)
    (serving,) = [generation for generation in read_model().generations("client") if generation.serves]
    index = _index_of(client, serving.number)
    definition = client.indices.get(index=index)[index]
    sources = [(hit["_id"], hit["_source"]) for hit in helpers.scan(client, index=index, size=1_000)]
    raw = seconds(partial(_bulk_raw, client, definition["mappings"], sources))
    rate, raw_rate = len(sources) / rebuild, len(sources) / raw
    name = f"rebuild of {len(sources):,} documents"
    return [Result(name, f"{rate:,.0f}/s", f"{raw_rate:,.0f}/s", f"{rate / raw_rate:.2f} of raw", "0.6 of raw")]


def measure_search() -> list[Result]:
    """Compare the list endpoint with its own searches by the raw client."""
    client = api_client()
    raw = OpenSearch(settings.CRM_READ_MODEL["OPTIONS"]["hosts"])
    return [_search(name, path, client, raw) for name, path in PATHS.items()]


def measure_naive() -> list[Result]:
    """Compare with a plain pipeline that takes one event at a time and replays the whole stream for each."""
    return [_naive(streams=10, events=10, aim="8x"), _naive(streams=1, events=1_000, aim="50x")]


def _naive(streams: int, events: int, aim: str) -> Result:
    ours_on, naive_on = ([next(_accounts) for _ in range(streams)] for _ in range(2))
    ours = seconds(partial(service.deliver_all, load.bodies(_history(ours_on, events), 500)))
    # The long one is measured at its end and its beginning, and reckoned from there: all of it takes many minutes.
    naive = _naive_seconds(naive_on, events)
    rate, naive_rate = streams * events / ours, streams * events / naive
    name = f"one at a time with full replay, {events:,} events a stream"
    return Result(name, f"{rate:,.0f}/s", f"{naive_rate:,.1f}/s", f"{rate / naive_rate:.1f}x", aim)


def _naive_seconds(accounts: Sequence[int], events: int) -> float:
    history = _history(accounts, events)
    if events <= _SHORT:
        return seconds(partial(NaivePipeline().handle_all, history))
    first = seconds(partial(NaivePipeline().handle_all, history[:_SAMPLE])) / _SAMPLE
    service.deliver_all(load.bodies(history[_SAMPLE:-_SAMPLE], 500))
    last = seconds(partial(NaivePipeline().handle_all, history[-_SAMPLE:])) / _SAMPLE
    return (first + last) / 2 * len(history)  # each event costs a little more than the one before


_SHORT, _SAMPLE = 100, 10


def _history(accounts: Sequence[int], events: int) -> list[dict[str, Any]]:
    return [load.change(account, step) for step in range(events) for account in accounts]


def _search(name: str, path: str, client: Client, raw: OpenSearch) -> Result:
    client.get(path)
    with _searches() as found:
        client.get(path)
    answers, queries = [], []
    for _ in range(SEARCH_ROUNDS):
        answers.append(seconds(lambda: client.get(path).content))
        queries.append(seconds(lambda: [raw.transport.perform_request(*one, params=p, body=b) for one, p, b in found]))
    ours, yardstick = median_milliseconds(answers), median_milliseconds(queries)
    return Result(f"API {name}", f"{ours:.2f} ms", f"{yardstick:.2f} ms", f"{ours / yardstick:.2f}x", "1.5x")


@contextmanager
def _searches() -> Iterator[list[tuple[tuple[str, str], Any, Any]]]:
    """Note the searches that go to OpenSearch."""
    found: list[tuple[tuple[str, str], Any, Any]] = []
    send = Transport.perform_request

    def noted(self: Transport, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        if url.endswith("/_search"):
            params = {name: value for name, value in (kwargs.get("params") or {}).items() if name != "ignore"}
            found.append(((method, url), params, kwargs.get("body")))
        return send(self, method, url, *args, **kwargs)

    with patch.object(Transport, "perform_request", noted):
        yield found


@contextmanager
def _requests() -> Iterator[list[dict[str, Any]]]:
    """Note the bodies of the requests that go to DynamoDB."""
    found: list[dict[str, Any]] = []
    send = Endpoint.make_request

    def noted(self: Endpoint, operation: Any, request: dict[str, Any]) -> Any:
        found.append(orjson.loads(request["body"]))
        return send(self, operation, request)

    with patch.object(Endpoint, "make_request", noted):
        yield found


def _units(request: dict[str, Any]) -> int:
    """Return the write units of a request as AWS counts them, without those of indexes.

    Transactions cost twice one unit for each KB of an item (read and write consumption, DynamoDB Developer Guide). An
    update's item is not in the request; heads are below 1 KB.
    """
    total = 0
    for action in request.get("TransactItems", ()):
        item = action.get("Put", {}).get("Item")
        total += 2 * (math.ceil(_size(item) / 1024) if item else 1)
    return total


def _size(item: dict[str, dict[str, Any]]) -> int:
    return sum(len(name) + _value_size(value) for name, value in item.items())


def _value_size(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    return len(base64.b64decode(content)) if kind == "B" else len(str(content))


def _events(number: int) -> list[NewEvent]:
    changes = [load.change(next(_accounts), 0) for _ in range(number)]
    items = split_body(orjson.dumps(changes))
    return [event for index, item in enumerate(items) for event in parse_item(item, "bench", index).events]


def _make_table(client: Any, table: str) -> None:
    client.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("p", "s")],
        BillingMode="PAY_PER_REQUEST",
    )


def _put_raw(client: Any, table: str, events: Sequence[NewEvent]) -> None:
    """Put events and heads, fifty of each in a transaction, as many as one takes."""
    for start in range(0, len(events), 50):
        items = [item for event in events[start : start + 50] for item in _raw_items(event)]
        client.transact_write_items(TransactItems=[{"Put": {"TableName": table, "Item": item}} for item in items])


def _raw_items(event: NewEvent) -> list[dict[str, dict[str, Any]]]:
    partition = {"p": {"S": str(event.stream)}}
    return [
        {**partition, "s": {"S": event.position}, "raw": {"B": zlib.compress(event.raw.encode())}},
        {**partition, "s": {"S": "head"}, "version": {"N": "1"}},
    ]


def _rebuild() -> None:
    now = service.now()
    run = runs().claim(runs().create(RunRequest("rebuild", "client", {}, "the benchmark"), now).id, now)
    if run is None or runner().work(run).status is not RunStatus.DONE:
        raise RuntimeError("the rebuild did not end well")


def _index_of(client: OpenSearch, number: int) -> str:
    prefix = settings.CRM_READ_MODEL["OPTIONS"]["index_prefix"]
    names = [str(name) for name in client.indices.get(index=f"{prefix}-client-*")]
    return next(name for name in names if name.endswith(f"{number:06d}"))


def _bulk_raw(client: OpenSearch, mapping: dict[str, Any], sources: Sequence[tuple[str, Any]]) -> None:
    index = f"{settings.CRM_READ_MODEL['OPTIONS']['index_prefix']}-raw"
    client.indices.create(index=index, body={"mappings": mapping, "settings": {"refresh_interval": "-1"}})
    actions = ({"_index": index, "_id": id_, "_source": source} for id_, source in sources)
    helpers.bulk(client, actions, chunk_size=500, request_timeout=120)
    client.indices.delete(index=index)


MEASURES = {
    "engines-append": measure_append,
    "engines-rebuild": measure_rebuild,
    "engines-api": measure_search,
    "engines-replay": measure_naive,
}
