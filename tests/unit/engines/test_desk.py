from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engines.catalogue import ENGINES
from engines.errors import EngineFailedError, EngineMissingError
from tests.engines import desk as desks
from tests.engines.desk import Answer, Desk, ask_the_first_process


class _Server:
    """Counts its starts, and fails as told."""

    started = 0
    stopped = 0
    error: Exception | None = None
    url = "redis://127.0.0.1:1/0"

    def __init__(self, engine: object) -> None:
        pass

    def start(self) -> None:
        type(self).started += 1
        if self.error:
            raise self.error

    def stop(self) -> None:
        type(self).stopped += 1


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> type[_Server]:
    fresh = type("_Fresh", (_Server,), {})
    monkeypatch.setattr(desks, "Server", fresh)
    monkeypatch.setattr(type(ENGINES["redis"]), "why_missing", lambda _: None)
    monkeypatch.delenv("TEST_REDIS_URL", raising=False)
    return fresh


@pytest.fixture
def desk(server: type[_Server]) -> Iterator[Desk]:
    assert server.started == 0
    made = Desk()
    yield made
    made.close()


def test_starts_an_engine_once_for_all_who_ask(desk: Desk, server: type[_Server]) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(desk.ask, ["redis"] * 8)) == {Answer(server.url)}
    assert server.started == 1


def test_answers_other_processes(desk: Desk, server: type[_Server], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(desks.ADDRESS, "")  # so that what the desk writes there is taken back
    desk.listen()
    assert ask_the_first_process("redis") == Answer(server.url)


def test_takes_the_engine_that_the_developer_named(
    desk: Desk, server: type[_Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_REDIS_URL", "redis://elsewhere")
    assert desk.ask("redis") == Answer("redis://elsewhere")
    assert server.started == 0


def test_tells_an_engine_that_cannot_be_had_from_one_that_fails(desk: Desk, server: type[_Server]) -> None:
    server.error = EngineMissingError("Redis", "no network.", "find one.")
    assert desk.ask("redis") == Answer(missing="Redis: no network. Next: find one.")
    another = Desk()
    server.error = EngineFailedError("Redis", "it ended.", "look.")
    assert another.ask("redis").failed == "Redis: it ended. Next: look."


def test_stops_what_it_started(server: type[_Server]) -> None:
    made = Desk()
    made.ask("redis")
    made.close()
    assert server.stopped == 1


def test_removes_its_address_when_it_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(desks.ADDRESS, "")
    made = Desk()
    made.listen()
    assert made._listener is not None
    address = Path(str(made._listener.server_address))
    assert address.exists()
    made.close()
    assert not address.exists()
