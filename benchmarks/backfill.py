"""A backfill against the same rows read with the raw client: what comparing and logging cost beside the reading."""

import multiprocessing
import os
import resource
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce

from benchmarks.org import ENTITY, serve
from benchmarks.raw import empty, written_tables
from benchmarks.report import Result, seconds
from crm_events.backends import crm_source, runs
from crm_events.entry import bulk_runner
from crm_events.ports.runs import RunRequest, RunStatus
from crm_events.services.backfill import KIND, BackfillOptions, Mode
from crm_events.simulator.web.oauth import ConnectedApp

ROWS = 5_000
MANY_ROWS = int(os.environ.get("BENCH_ROWS") or 1_000_000)
ROUNDS = 3
AIM = "0.7"
_MIB = 1024


def measure_backfill() -> list[Result]:
    """Compare first and second backfills by both interfaces with reading alone, in turns."""
    with _org(ROWS):
        client = _raw_client()
        return [result for mode in (Mode.REST, Mode.BULK) for result in _compare(client, mode)]


def measure_memory() -> list[Result]:
    """Backfill very many rows, and compare the memory at the end with that after the first tenth."""
    peaks: list[int] = []
    with _org(MANY_ROWS):
        run = _claimed(Mode.BULK)
        tenth = MANY_ROWS // 10
        bulk_runner().work(
            run, lambda view: peaks.append(_peak()) if view.counts.get("rows", 0) >= tenth else None, wait=_wait
        )
    name = f"memory at the end of a backfill of {MANY_ROWS:,} rows, against its first tenth"
    ratio = f"{peaks[-1] / peaks[0]:.2f}x"
    return [Result(name, f"{peaks[-1] // _MIB:,} MiB", f"{peaks[0] // _MIB:,} MiB", ratio, "flat")]


def _compare(client: Salesforce, mode: Mode) -> list[Result]:
    raw, first, again = [], [], []
    for _ in range(ROUNDS):
        empty(written_tables())
        raw.append(seconds(partial(_read_raw, client, mode)))
        first.append(seconds(partial(_backfill, mode)))
        again.append(seconds(partial(_backfill, mode)))
    return [
        _result(f"backfill of {ROWS:,} new rows by {mode.value}", first, raw),
        _result(f"the same rows again, unchanged, by {mode.value}", again, raw),
    ]


def _result(name: str, ours: list[float], raw: list[float]) -> Result:
    our_rate, raw_rate = ROWS / statistics.median(ours), ROWS / statistics.median(raw)
    ratio = statistics.median(one / other for one, other in zip(raw, ours, strict=True))
    return Result(name, f"{our_rate:,.0f}/s", f"{raw_rate:,.0f}/s", f"{ratio:.2f} of raw", f"{AIM} of raw")


def _backfill(mode: Mode) -> None:
    ended = bulk_runner().work(_claimed(mode), wait=_wait)
    if ended.status is not RunStatus.DONE or ended.counts["rows"] < ROWS:
        raise AssertionError(f"the backfill ended as {ended.status}: {ended.error}")


def _claimed(mode: Mode) -> Any:
    now = datetime.now(UTC)
    request = RunRequest(KIND, ENTITY, BackfillOptions(mode=mode).to_parameters(), "the benchmark")
    run = runs().claim(runs().create(request, now).id, now)
    assert run is not None  # noqa: S101  # nobody else is here
    return run


def _wait(_seconds: float) -> None:
    """Ask again at once whether the bulk job is done: waiting is not what is measured."""


def _read_raw(client: Salesforce, mode: Mode) -> None:
    columns = ", ".join(crm_source().describe(ENTITY).columns)
    query = f"SELECT {columns} FROM {ENTITY}"  # noqa: S608  # SOQL of our own
    if mode is Mode.REST:
        rows = sum(1 for _ in client.query_all_iter(query))
    else:
        rows = sum(page.count("\n") - 1 for page in _bulk2(client).query(query, max_records=10_000, wait=0))
    if rows < ROWS:
        raise AssertionError(f"the raw client read {rows} rows")


def _bulk2(client: Salesforce) -> Any:
    bulk2: Any = client.bulk2
    return bulk2.Account


class _ToOrg(HTTPAdapter):
    """Sends what the library addresses to https://HOST to the simulated org."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send it there."""
        parts = urlsplit(str(request.url))
        request.url = f"{self._url}{parts.path}{'?' if parts.query else ''}{parts.query}"
        return super().send(request, *args, **kwargs)


def _raw_client() -> Salesforce:
    """Return simple-salesforce as it comes, with a session in the simulated org."""
    assert settings.CRM_SOURCE is not None  # noqa: S101  # set just before
    options = settings.CRM_SOURCE["OPTIONS"]
    form = {name: options[name] for name in ("client_id", "client_secret")}
    address = f"{options['url']}/services/oauth2/token"
    answer = requests.post(address, data={"grant_type": "client_credentials", **form}, timeout=60)
    session = requests.Session()
    session.mount("https://", _ToOrg(options["url"]))
    return Salesforce(
        session_id=answer.json()["access_token"],
        instance="org.my.salesforce.com",
        session=session,
        version=options["api_version"],
    )


@contextmanager
def _org(rows: int) -> Iterator[None]:
    """Run a simulated org of so many simple accounts in a process of its own, and let the service read it."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    with tempfile.TemporaryDirectory(prefix="crm-bench-org-") as folder:
        process = context.Process(target=serve, args=(folder, rows, sender), daemon=True)
        process.start()
        sender.close()  # so that an org that could not start ends the wait
        app = ConnectedApp()
        path, options = settings.CRM_SOURCES["salesforce"]
        own = {"url": receiver.recv(), "client_id": app.consumer_key, "client_secret": app.consumer_secret}
        settings.CRM_SOURCE = {"BACKEND": path, "OPTIONS": {**options, **own}}
        crm_source.cache_clear()
        bulk_runner.cache_clear()
        try:
            yield
        finally:
            process.terminate()
            process.join()


def _peak() -> int:
    """Return the most memory this process had so far, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
