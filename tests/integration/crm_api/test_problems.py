import logging
from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import Settings

from crm_api.freshness import Freshness
from crm_events.backends import event_store
from crm_events.ports.event_store import EventStoreUnavailableError, StreamAppend
from tests.builders import a_new_event, an_id
from tests.integration.crm_api.api import NOW, Api, decoded

pytestmark = pytest.mark.django_db


def _is_problem(response: object, status: int) -> None:
    assert getattr(response, "status_code", None) == status
    assert response["Content-Type"] == "application/problem+json"  # type: ignore[index]
    body = decoded(response)  # type: ignore[arg-type]
    assert {"type", "title", "status", "detail"} <= set(body)
    assert body["status"] == status


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    "path", ["/api/", "/api/v1/", "/api/v1/nothing/", "/api/v2/clients/", "/api/v1/clients/a/b/c/"]
)
def test_an_unknown_address_is_a_problem_in_debug_mode_too(settings: Settings, path: str, *, debug: bool) -> None:
    settings.DEBUG = debug
    _is_problem(Client().get(path), 404)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_missing_last_slash_is_put_right_and_keeps_method_and_query(method: str) -> None:
    response = Client().generic(method, "/api/v1/clients?sort=name")
    assert (response.status_code, response["Location"]) == (308, "/api/v1/clients/?sort=name")


def test_a_redirect_never_leaves_the_service() -> None:
    assert Client().get("/api//evil.example").status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "NONSENSE"])
def test_another_method_is_a_405_that_names_those_there_are(api: Api, method: str) -> None:
    response = api.send(method, "clients/")
    _is_problem(response, 405)
    assert response["Allow"] == "GET, HEAD, OPTIONS"


def test_options_says_what_the_address_takes(api: Api) -> None:
    response = api.send("OPTIONS", "events/")
    assert (response.status_code, response["Allow"]) == (204, "POST, OPTIONS")


def test_head_is_get_without_its_body(api: Api) -> None:
    response = api.send("HEAD", "clients/")
    assert (response.status_code, response.content) == (200, b"")


def test_a_host_name_that_is_not_ours_is_a_problem() -> None:
    _is_problem(Client().get("/api/v1/clients/", headers={"Host": "evil.example"}), 400)


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense"])
def test_json_is_served_whatever_the_caller_accepts(api: Api, accept: str) -> None:
    api.headers["Accept"] = accept
    assert api.get("clients/")["Content-Type"] == "application/json"


@pytest.mark.parametrize("debug", [False, True])
def test_a_defect_is_a_500_without_a_word_of_it_and_goes_to_the_log(
    api: Api, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, debug: bool
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("the secret of the house")

    settings.DEBUG = debug
    monkeypatch.setattr("crm_api.views.entities.query_service", broken)
    with caplog.at_level(logging.ERROR, "crm_api.problems"):
        response = api.get("clients/")
    _is_problem(response, 500)
    assert "secret" not in response.content.decode()
    assert [record.exc_info is not None for record in caplog.records if record.name == "crm_api.problems"] == [True]


@pytest.mark.parametrize("path", ["clients/", f"clients/{an_id()}/", f"clients/{an_id()}/events/", "deals/?nonsense=1"])
def test_every_read_answer_says_how_fresh_it_is(api: Api, path: str) -> None:
    response = api.get(path)
    assert (response["X-Read-Model-Lag-Events"], response["X-Read-Model-Lag-Seconds"]) == ("0", "0.0")


def test_the_lag_counts_events_and_seconds_of_the_log() -> None:
    event = a_new_event()
    event_store().append([StreamAppend(event.stream, [event])], NOW)
    fresh = Freshness(lambda: event_store().statistics())
    assert fresh.headers(NOW + timedelta(seconds=2.5)) == {
        "X-Read-Model-Lag-Events": "1",
        "X-Read-Model-Lag-Seconds": "2.5",
    }


def test_a_log_that_does_not_answer_costs_the_headers_not_the_answer(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def statistics() -> None:
        raise EventStoreUnavailableError

    monkeypatch.setattr(event_store(), "statistics", statistics)
    response = api.get("clients/")
    assert (response.status_code, response["X-Read-Model-Lag-Events"]) == (200, "unknown")
