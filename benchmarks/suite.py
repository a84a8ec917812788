"""The comparisons themselves."""

import statistics
from collections.abc import Sequence
from functools import partial

from django.core.management import call_command
from django.db import connection

from benchmarks import load, service
from benchmarks.api import measure_api
from benchmarks.backfill import measure_backfill, measure_memory
from benchmarks.engines import MEASURES as ENGINES
from benchmarks.engines import use_prefix_of_its_own
from benchmarks.naive import NaivePipeline
from benchmarks.raw import empty, read_rows, write_rows, written_tables
from benchmarks.report import Result, median_milliseconds, seconds, show

PIPELINE_ACCOUNTS, PIPELINE_STEPS = 1_000, 5
PIPELINE_REQUEST = 500
PIPELINE_ROUNDS = 9
KEPT = {"crm_projections_sql_generation"}


def run_all(names: Sequence[str]) -> None:
    """Run the named benchmarks and print their results."""
    call_command("migrate", verbosity=0)
    results: list[Result] = []
    measures = {"pipeline": pipeline, "stream-length": stream_length, "full-replay": full_replay, "api": measure_api}
    if any(name in ENGINES for name in names):
        use_prefix_of_its_own()
    measures |= ENGINES | {"backfill": measure_backfill, "backfill-memory": measure_memory}
    for name in names:
        results += measures[name]()
    show(results)


def pipeline() -> list[Result]:
    """Compare deliver -> stored -> folded -> mapped -> indexed -> outbox with raw writes of the same rows."""
    changes = load.history(range(PIPELINE_ACCOUNTS), range(PIPELINE_STEPS))
    bodies = load.bodies(changes, PIPELINE_REQUEST)
    _clear()
    service.deliver(load.bodies([load.change(999_999, 0)], 1)[0])  # first use builds caches and the generation
    ours, raw = [], []
    for _ in range(PIPELINE_ROUNDS):
        # In turns and from the same emptiness, so that both meet the same noise.
        _clear()
        ours.append(seconds(partial(service.deliver_all, bodies)))
        rows = read_rows([name for name in written_tables() if name not in KEPT])
        _clear()
        raw.append(seconds(partial(write_rows, rows)))
    our_rate, raw_rate = len(changes) / statistics.median(ours), len(changes) / statistics.median(raw)
    name = f"pipeline, {len(changes):,} events in requests of {PIPELINE_REQUEST}"
    # Round by round, because the machine may be slower in one than in another.
    ratio = f"{statistics.median(one / other for one, other in zip(raw, ours, strict=True)):.2f} of raw"
    return [Result(name, f"{our_rate:,.0f}/s", f"{raw_rate:,.0f}/s", ratio, "0.5 of raw")]


def stream_length() -> list[Result]:
    """Compare the 10,000th event of a stream with the 10th."""
    _clear()
    short, long = range(100, 130), 1
    for body in load.bodies(load.history(range(long, long + 1), range(9_990)), 500):
        service.deliver(body)
    for body in load.bodies(load.history(short, range(9)), 500):
        service.deliver(body)
    tenth, ten_thousandth = [], []
    for number, account in enumerate(short):
        # In turns, so that both meet the same noise.
        (body,) = load.bodies([load.change(account, 9)], 1)
        tenth.append(seconds(partial(service.deliver, body)))
        (body,) = load.bodies([load.change(long, 9_990 + number)], 1)
        ten_thousandth.append(seconds(partial(service.deliver, body)))
    ours, yardstick = median_milliseconds(ten_thousandth), median_milliseconds(tenth)
    return [
        Result(
            "10,000th event against the 10th",
            f"{ours:.2f} ms",
            f"{yardstick:.2f} ms",
            f"{ours / yardstick:.2f}x",
            "1.2x",
        )
    ]


def full_replay() -> list[Result]:
    """Compare with a plain pipeline that takes one event at a time and replays the whole stream for each."""
    return [_full_replay(accounts=40, events=10, aim="8x"), _full_replay(accounts=1, events=1_000, aim="50x")]


def _full_replay(accounts: int, events: int, aim: str) -> Result:
    _clear()
    changes = load.history(range(accounts), range(events))
    bodies = load.bodies(changes, 100)

    our_time = seconds(partial(service.deliver_all, bodies))
    _clear()
    naive_time = seconds(partial(NaivePipeline().handle_all, changes))
    our_rate, naive_rate = len(changes) / our_time, len(changes) / naive_time
    name = f"one at a time with full replay, {events:,} events a stream"
    return Result(name, f"{our_rate:,.0f}/s", f"{naive_rate:,.0f}/s", f"{our_rate / naive_rate:.1f}x", aim)


def _clear() -> None:
    empty([name for name in written_tables() if name not in KEPT])
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
