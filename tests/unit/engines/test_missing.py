import pytest

from engines import logs, postgres, rabbitmq
from engines.catalogue import ENGINES
from engines.postgres import Postgres


def test_redis_says_which_package_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert ENGINES["redis"].why_missing() == "no redis-server on this machine; install the package redis-server"


def test_rabbitmq_says_which_package_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rabbitmq, "_PLACES", ())
    assert str(ENGINES["rabbitmq"].why_missing()).endswith("install the package rabbitmq-server")


def test_postgresql_says_which_package_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "find_postgres", lambda: None)
    assert str(Postgres().why_missing()).endswith("install the package postgresql")


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ("java.lang.OutOfMemoryError: Java heap space", "free some memory"),
        ("There is insufficient memory for the Java Runtime Environment", "free some memory"),
        ("java.net.BindException: Address already in use", "another program took the port"),
        ("has been compiled: UnsupportedClassVersionError", "Java 17 or newer"),
        ("anything else", "see the lines of its log"),
    ],
)
def test_a_log_says_what_to_do_next(line: str, step: str) -> None:
    assert step in logs.next_step(f"some line\n{line}\nanother")
