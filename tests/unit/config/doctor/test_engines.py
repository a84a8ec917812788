import threading
from typing import NoReturn

import pytest

from config.doctor import engines
from config.doctor.diagnosis import Light
from config.doctor.engines import examine_engine


def test_times_an_engine_once_it_is_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_SLOW_MILLISECONDS", 40)
    first = iter([True])

    def ping() -> None:
        if next(first, False):
            threading.Event().wait(0.1)  # builds a client, connects

    (line,) = examine_engine("event store", ping)
    assert (line.subject, line.light) == ("event store", Light.GREEN)


def test_minds_an_engine_that_takes_long_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_SLOW_MILLISECONDS", -1)
    (line,) = examine_engine("event store", lambda: None)
    assert (line.light, "only after" in line.fact) == (Light.AMBER, True)


def test_asks_an_engine_that_is_down_only_once() -> None:
    asked = []

    def ping() -> NoReturn:
        asked.append(1)
        raise ConnectionRefusedError("nobody listens")

    (line,) = examine_engine("event store", ping)
    assert (line.light, "nobody listens" in line.fact, len(asked)) == (Light.RED, True, 1)
