import os
from threading import get_ident
from typing import Any

import pytest

from crm_events.adapters.dynamodb.connection import Connection


@pytest.fixture
def connection() -> Connection:
    return Connection("http://127.0.0.1:1")


def test_has_one_client_in_a_process(connection: Connection) -> None:
    assert connection.client is connection.client


def test_makes_a_client_of_its_own_in_a_forked_process(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    parent = connection.client
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert connection.client is not parent


def test_retries_adaptively_and_waits_for_nobody_for_ever(connection: Connection) -> None:
    config: Any = connection.client.meta.config
    assert config.retries["mode"] == "adaptive"
    assert (config.connect_timeout, config.read_timeout) == (3, 15)


def test_keeps_the_order_of_what_it_does_in_parallel(connection: Connection) -> None:
    assert connection.in_parallel(lambda n: n * 2, range(50)) == list(range(0, 100, 2))


def test_does_a_single_thing_without_a_thread(connection: Connection) -> None:
    assert connection.in_parallel(lambda _: get_ident(), [1]) == [get_ident()]
