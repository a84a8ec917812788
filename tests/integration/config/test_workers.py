import threading
from collections.abc import Iterator

import pytest
from celery import shared_task

from config.celery import app
from config.embedded.workers import Lane

TIMEOUT = 20
began = threading.Event()
release = threading.Event()
done = threading.Event()
passed = threading.Event()


@shared_task(name="tests.long")  # type: ignore[untyped-decorator]
def long_task() -> None:
    began.set()
    release.wait(TIMEOUT)
    done.set()


@shared_task(name="tests.short")  # type: ignore[untyped-decorator]
def short_task() -> None:
    passed.set()


def _empty(lane: str) -> None:
    with app.connection_for_write() as connection:
        queue = app.amqp.queues[lane](connection.default_channel)
        queue.declare()
        queue.purge()


@pytest.fixture
def lanes() -> Iterator[dict[str, Lane]]:
    for event in (began, release, done, passed):
        event.clear()
    started = {name: Lane(app, name) for name in ("ingest", "bulk")}
    for name, lane in started.items():
        _empty(name)
        lane.start()
    yield started
    release.set()
    for lane in started.values():
        lane.stop()


@pytest.mark.usefixtures("lanes")
def test_a_full_lane_holds_up_no_other() -> None:
    for _ in range(10):
        app.send_task("tests.long", queue="bulk")
    assert began.wait(TIMEOUT)
    app.send_task("tests.short", queue="ingest")
    assert passed.wait(TIMEOUT)
    assert not done.is_set()


def test_a_lane_takes_its_own_tasks_only(lanes: dict[str, Lane]) -> None:
    lanes["ingest"].stop()
    release.set()
    app.send_task("tests.short", queue="ingest")
    for _ in range(3):
        done.clear()
        app.send_task("tests.long", queue="bulk")
        assert done.wait(TIMEOUT)
    assert not passed.is_set()


def test_a_lane_that_stops_finishes_its_task(lanes: dict[str, Lane]) -> None:
    app.send_task("tests.long", queue="bulk")
    assert began.wait(TIMEOUT)
    stopping = threading.Thread(target=lanes["bulk"].stop)
    stopping.start()
    release.set()
    stopping.join(TIMEOUT)
    assert done.is_set()
    assert not lanes["bulk"].is_alive()
