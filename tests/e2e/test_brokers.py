"""Wake-ups by each broker, between processes: what a killed worker had comes back, and an outage costs only time."""

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import boto3
import psycopg
import pytest
from django.db import connections
from kombu.connection import Connection
from psycopg import sql
from pytest_django import DjangoDbBlocker

from tests.builders import a_change
from tests.e2e.expectations import Expectations, is_settled
from tests.e2e.history import History
from tests.e2e.production import ProductionService
from tests.e2e.proxy import Proxy
from tests.e2e.sender import Sender
from tests.waiting import wait_until

pytestmark = pytest.mark.postgres
ALIAS: Final = "brokers"
LANES: Final = ("ingest", "project", "bulk")
SEED: Final = int(os.environ.get("BROKER_SEED", "0")) or Random().randrange(1, 10**6)  # noqa: S311  # printed
VISIBILITY_SECONDS: Final = 5
# Longest answer that is still one, in seconds: a wait for the broker, and the machine's own slowness.
BOUND: Final = 10.0
# A table that the projector needs late, when its documents are saved.
OUTBOX: Final = "crm_projections_sql_outbox"
EVENTS: Final = "crm_events_sql_event"


@pytest.fixture(params=["redis_url", "rabbitmq_url", "aws_endpoint"])
def broker_url(request: pytest.FixtureRequest) -> str:
    """Return the address of one broker after the other, as ``CELERY_BROKER_URL`` takes it."""
    url: str = request.getfixturevalue(request.param)
    return url.replace("http://", "sqs://test:test@") if request.param == "aws_endpoint" else url


@pytest.fixture
def proxy(broker_url: str) -> Iterator[Proxy]:
    """Return the way to the broker that the service takes."""
    parts = urlsplit(broker_url)
    assert parts.hostname
    assert parts.port
    with Proxy(parts.hostname, parts.port) as proxy:
        yield proxy


@pytest.fixture
def database() -> Iterator[str]:
    """Return the address of a database of the test's own, which it reads as ``ALIAS`` too."""
    server = os.environ["TEST_POSTGRES_URL"]
    name = f"brokers_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        connections.settings[ALIAS] = {**connections.settings["postgres"], "NAME": name}
        yield server.rpartition("/")[0] + f"/{name}"
        connections[ALIAS].close()
        del connections[ALIAS]
        del connections.settings[ALIAS]
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def service(
    tmp_path: Path, broker_url: str, proxy: Proxy, database: str, django_db_blocker: DjangoDbBlocker
) -> Iterator[ProductionService]:
    """Return the service, set up and not yet started, whose broker is reached through the proxy."""
    prefix = f"t{uuid.uuid4().hex[:8]}-"
    running = ProductionService(
        tmp_path / "var",
        DATABASE_URL=database,
        CELERY_BROKER_URL=_through(proxy, broker_url),
        BROKER_PREFIX=prefix,
        BROKER_VISIBILITY_SECONDS=str(VISIBILITY_SECONDS),
        PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "metrics"),
        AWS_DEFAULT_REGION="us-east-1",
        WEB_WORKERS="1",
        LOG_LEVEL="WARNING",
        API_RATE="0",
        SAVED_STATE_EVERY="5",
    )
    _forget_queues(broker_url, prefix)
    with django_db_blocker.unblock(), running:
        yield running
    _forget_queues(broker_url, prefix)


def test_what_a_killed_worker_had_comes_back_from_the_broker(service: ProductionService, database: str) -> None:
    """There is no beat and so no sweep: only the broker can bring the task back."""
    service.start_parts("web", "ingest", "project")
    with _Locked(database, OUTBOX) as somebody_waits:
        answer = service.request("POST", "/api/v1/events/", "ingest", json=a_change("CREATE", {"Name": "A client"}))
        assert answer.status_code == 202
        wait_until(somebody_waits)
        service.kill_part("project")
    assert not is_settled(ALIAS)
    service.start_parts("project")
    wait_until(lambda: is_settled(ALIAS), timeout=60, interval=0.2)


def test_nothing_is_lost_when_workers_are_killed_and_the_broker_is_away_under_load(
    service: ProductionService, database: str, proxy: Proxy
) -> None:
    print(f"BROKER_SEED={SEED}")
    service.start_parts("web", *LANES, "beat", "second beat")
    history, expected = History(SEED), Expectations()
    senders = [Sender(service, history, expected) for _ in range(3)]
    for sender in senders:
        sender.start()
    for lane, table in (("ingest", EVENTS), ("project", OUTBOX)):
        with _Locked(database, table) as somebody_waits:
            wait_until(somebody_waits)
            service.kill_part(lane)
        service.start_parts(lane)
    proxy.close()
    _wait_for_more(senders, 100)
    proxy.open()
    _wait_for_more(senders, 20)
    for sender in senders:
        sender.stop()
    wait_until(lambda: is_settled(ALIAS), timeout=90, interval=0.2)
    assert expected.differences(ALIAS) == []
    assert max(sender.slowest for sender in senders) < BOUND


def _wait_for_more(senders: list[Sender], number: int) -> None:
    """Wait until so many more requests were answered with 202."""
    before = sum(len(sender.accepted) for sender in senders)
    wait_until(lambda: sum(len(sender.accepted) for sender in senders) >= before + number, timeout=60)


class _Locked:
    """Holds a table; gives a condition that is met once somebody waits for it."""

    def __init__(self, database: str, table: str) -> None:
        self._holder = psycopg.connect(database)
        self._watcher = psycopg.connect(database, autocommit=True)
        self._table = table

    def __enter__(self) -> Callable[[], bool]:
        self._holder.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(self._table)))
        return self._somebody_waits

    def __exit__(self, *_: object) -> None:
        self._holder.close()
        self._watcher.close()

    def _somebody_waits(self) -> bool:
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass"
        row = self._watcher.execute(waiting, [self._table]).fetchone()
        return bool(row and row[0])


def _through(proxy: Proxy, url: str) -> str:
    parts = urlsplit(url)
    credentials = f"{parts.username or ''}:{parts.password or ''}@" if "@" in parts.netloc else ""
    return urlunsplit(parts._replace(netloc=f"{credentials}127.0.0.1:{proxy.port}"))


def _forget_queues(url: str, prefix: str) -> None:
    if url.startswith("sqs:"):
        _forget_sqs_queues(url, prefix)
        return
    options = {"global_keyprefix": prefix} if url.startswith("redis:") else {}
    with Connection(url, transport_options=options) as connection:
        for lane in LANES:
            connection.default_channel.queue_delete(lane)


def _forget_sqs_queues(url: str, prefix: str) -> None:
    parts = urlsplit(url)
    client = boto3.client("sqs", endpoint_url=f"http://{parts.hostname}:{parts.port}")
    for queue in client.list_queues(QueueNamePrefix=prefix).get("QueueUrls", []):
        client.delete_queue(QueueUrl=queue)
