from typing import NoReturn

import pytest
from django.test import Client
from kombu.exceptions import OperationalError
from pytest_django import Settings

from config import health
from crm_projections.ports.read_model import ReadModelUnavailableError

pytestmark = pytest.mark.django_db


def _down() -> NoReturn:
    raise ReadModelUnavailableError


def test_lives_without_a_key_and_without_a_backend(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(health.BACKENDS, "read model", _down)
    answer = client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_is_ready_when_every_backend_answers(client: Client) -> None:
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert set(answer.json()["backends"]) == {
        "operational database",
        "event store",
        "read model",
        "broadcaster",
        "message broker",
    }


def test_names_the_backend_that_is_down(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(health.BACKENDS, "read model", _down)
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["down"] == ["read model"]
    assert answer.json()["backends"]["event store"]["status"] == "ok"


def test_stays_ready_without_the_broker_and_says_that_it_is_down(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down() -> NoReturn:
        raise OperationalError("connection refused")

    monkeypatch.setattr(health, "ping_broker", down)
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["down"]) == (200, [])
    assert answer.json()["backends"]["message broker"]["status"] == "down"


def test_takes_no_post(client: Client) -> None:
    assert client.post("/health/ready").status_code == 405


def test_is_asked_past_the_proxy_without_https(client: Client, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/health/live").status_code == 200
    assert client.get("/").status_code == 301
