import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from engines import __main__, development, places
from engines.catalogue import ENGINES
from engines.engine import Engine
from tests.integration.engines.conftest import Writers
from tests.waiting import wait_until

RealFolder = Callable[[str, str | None], Path]


@pytest.fixture(autouse=True)
def _own_data(engines_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep data apart from the developer's; downloads are shared."""
    real = places.folder
    monkeypatch.setattr(places, "folder", lambda kind, user=None: engines_dir if kind == "data" else real(kind, user))
    yield
    for engine in ENGINES.values():
        development.stop(engine)


def _url(engine: Engine) -> str:
    server = development.running(engine)
    assert server is not None
    return engine.url(development.site_of(engine, server))


@pytest.mark.parametrize("engine", list(ENGINES), indirect=True)
def test_runs_until_it_is_told_to_stop(engine: Engine, writers: Writers) -> None:
    assert development.start(engine)
    assert not development.start(engine)
    assert writers()
    assert development.stop(engine)
    wait_until(lambda: not writers())
    assert not development.stop(engine)


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_finds_its_data_and_its_address_again(engine: Engine) -> None:
    development.start(engine)
    url = _url(engine)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept (id int)")
    development.stop(engine)
    development.start(engine)
    with psycopg.connect(_url(engine)) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    assert _url(engine) == url


@pytest.mark.parametrize("engine", ["redis"], indirect=True)
def test_takes_another_port_when_its_own_is_taken(engine: Engine) -> None:
    development.start(engine)
    before = development.running(engine)
    development.stop(engine)
    assert before is not None
    with socket.create_server(("127.0.0.1", before.ports[0])):
        development.start(engine)
        after = development.running(engine)
    assert after is not None
    assert after.ports != before.ports


@pytest.mark.parametrize("engine", ["redis"], indirect=True)
def test_is_started_once_by_two_starters(engine: Engine) -> None:
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(development.start, [engine, engine])) == [False, True]


@pytest.mark.parametrize("engine", ["redis"], indirect=True)
def test_prints_the_variables_of_what_runs(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(["start", "redis"]) == 0
    capsys.readouterr()
    assert __main__.main(["env"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"export CELERY_BROKER_URL={_url(engine)}" in lines
    assert "export AWS_DEFAULT_REGION=us-east-1" in lines
    assert not [line for line in lines if "OPENSEARCH" in line]


@pytest.mark.parametrize("engine", ["redis"], indirect=True)
def test_says_what_runs_and_what_does_not(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    __main__.main(["status", "redis"])
    assert "stopped" in capsys.readouterr().out
    development.start(engine)
    __main__.main(["status", "redis"])
    assert f"runs: {_url(engine)}" in capsys.readouterr().out
    __main__.main(["start", "redis"])
    assert "runs already" in capsys.readouterr().out
