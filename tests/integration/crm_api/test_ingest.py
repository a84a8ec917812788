import io
from typing import Any

import orjson
import pytest
from django.db import OperationalError
from django.test import RequestFactory
from pytest_django import Settings
from rest_framework.request import Request

from crm_api.body import read_body
from crm_api.errors import BodyTooLargeError, IncompleteBodyError
from crm_api.waiting import Waiters
from crm_events.entry import command_service
from crm_events.models import Delivery
from crm_events.ports.commands import ProcessEvents
from tests.builders import a_body, a_change, a_stream, an_id
from tests.integration.crm_api.api import NOW, Api, decoded


def test_a_post_is_a_202_with_the_delivery_and_its_address(api: Api) -> None:
    response = api.post(a_body(a_change(), a_change("DELETE")))
    accepted = decoded(response)
    assert (response.status_code, accepted["received"]) == (202, 2)
    assert response["Location"] == f"http://testserver/api/v1/deliveries/{accepted['delivery']}/"
    assert decoded(api.follow(response["Location"]))["status"] == "accepted"


def test_a_202_means_stored_whole_with_the_key_that_sent_it(api: Api) -> None:
    body = a_body(a_change())
    api.post(body)
    delivery = Delivery.objects.get()
    assert (delivery.body, delivery.key_name) == (body.decode(), "a caller")


def test_an_object_and_an_empty_array_are_bodies(api: Api) -> None:
    assert decoded(api.post(orjson.dumps(a_change())))["received"] == 1
    assert decoded(api.post(b"[]"))["received"] == 0


def test_a_delivery_tells_what_became_of_every_record(api: Api) -> None:
    merged = a_change(ids=[an_id(1), an_id(2)])
    posted = decoded(api.post(a_body(merged, {"no": "event"})))["delivery"]
    command_service().process_events(ProcessEvents(), NOW)
    status = decoded(api.get(f"deliveries/{posted}/"))
    assert list(status) == ["id", "status", "received", "received_at", "outcomes"]
    assert (status["id"], status["status"], status["received"]) == (posted, "recorded", 2)
    outcomes = [(o["index"], o["outcome"], o["entity_id"], o["version"]) for o in status["outcomes"]]
    assert outcomes[:2] == [(0, "recorded", an_id(1), 1), (0, "recorded", an_id(2), 1)]
    assert (outcomes[2][:2], status["outcomes"][2]["entity"]) == ((1, "unreadable"), "")
    assert status["outcomes"][2]["detail"]
    assert set(status["outcomes"][0]) == {"index", "outcome", "entity", "entity_id", "version", "detail"}


@pytest.mark.parametrize(
    "body",
    [
        b" ",
        b"{",
        b"nonsense",
        b'"text"',
        b"12",
        b"null",
        b"\xff\xfe{\x00}\x00",
        b'{"a": "\\ud800"}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": 1e999999}',
        b'{"a": NaN}',
        b"[" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    ],
)
def test_a_body_that_is_no_json_object_or_array_is_a_400_with_a_pointer(api: Api, body: bytes) -> None:
    response = api.post(body)
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")
    [fault] = decoded(response)["errors"]
    assert (fault["pointer"], fault["allowed"]) == ("", ["one JSON object", "an array of JSON objects"])
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/xml", "", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
     "application/json; charset=latin-1", "application/jsonp"],
)  # fmt: skip
def test_another_content_type_is_a_415(api: Api, content_type: str) -> None:
    response = api.post(a_body(a_change()), content_type=content_type)
    assert (response.status_code, response["Accept-Post"]) == (415, "application/json")


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"']
)
def test_json_in_utf_8_is_taken(api: Api, content_type: str) -> None:
    assert api.post(a_body(a_change()), content_type=content_type).status_code == 202


def test_a_compressed_body_is_a_415(api: Api) -> None:
    assert api.post(b"x", **{"Content-Encoding": "gzip"}).status_code == 415


def test_a_body_of_the_limit_is_taken_and_one_more_byte_is_a_413(api: Api, settings: Settings) -> None:
    body = a_body(a_change())
    settings.CRM_MAX_BODY_BYTES = len(body)
    assert api.post(body).status_code == 202
    assert api.post(body + b" ").status_code == 413


def test_a_large_body_is_no_concern_of_djangos_own_limit(api: Api, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    assert api.post(a_body(a_change())).status_code == 202


class _Endless(io.RawIOBase):
    """A body in chunks that never ends; counts what was read of it."""

    def __init__(self) -> None:
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        assert size > 0
        self.count += size
        return b" " * size


def _request(stream: Any, **environ: Any) -> Request:
    request = RequestFactory().post("/", b"", content_type="application/json")
    request.META.pop("CONTENT_LENGTH", None)
    request.META.update({"wsgi.input": stream, **environ})
    return Request(request)


def test_a_chunked_body_is_never_read_far_beyond_the_limit() -> None:
    stream = _Endless()
    with pytest.raises(BodyTooLargeError):
        read_body(_request(stream, **{"wsgi.input_terminated": True}), 100_000)
    assert stream.count == 100_001


def test_a_chunked_body_is_read_to_its_end() -> None:
    stream = io.BytesIO(b"x" * 100_000)
    assert len(read_body(_request(stream, **{"wsgi.input_terminated": True}), 100_000)) == 100_000


def test_a_body_without_length_or_end_is_none() -> None:
    assert read_body(_request(_Endless()), 10) == b""


def test_a_large_announced_body_is_not_read_at_all() -> None:
    stream = _Endless()
    with pytest.raises(BodyTooLargeError):
        read_body(_request(stream, CONTENT_LENGTH="101"), 100)
    assert stream.count == 0


def test_a_body_that_ends_early_is_refused() -> None:
    with pytest.raises(IncompleteBodyError):
        read_body(_request(io.BytesIO(b"[]"), CONTENT_LENGTH="3"), 100)


def test_a_connection_that_breaks_is_an_incomplete_body() -> None:
    class Broken(io.RawIOBase):
        def read(self, _size: int = -1) -> bytes:
            raise ConnectionResetError

    with pytest.raises(IncompleteBodyError):
        read_body(_request(Broken(), CONTENT_LENGTH="3"), 100)


def test_a_database_that_is_down_is_a_503_with_retry_after(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def save(*_args: object, **_kwargs: object) -> None:
        raise OperationalError("connection refused at db.internal:5432")

    monkeypatch.setattr(Delivery, "save", save)
    response = api.post(a_body(a_change()))
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert "db.internal" not in response.content.decode()


def test_a_database_that_is_down_at_the_key_is_a_503_too(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("crm_api.authentication.find_key", fail)
    response = api.get("clients/")
    assert (response.status_code, response["Retry-After"]) == (503, "5")


def test_posting_takes_no_parameters(api: Api) -> None:
    response = api.client.post("/api/v1/events/?dry=1", b"[]", content_type="application/json", headers=api.headers)
    assert response.status_code == 400


@pytest.mark.parametrize("delivery", ["none", "é", "%00", "a" * 300, "00000000000000000000000000000000"])
def test_an_unknown_delivery_is_a_404(api: Api, delivery: str) -> None:
    assert api.get(f"deliveries/{delivery}/").status_code == 404


@pytest.mark.parametrize("wait", ["31", "-1", "1.5", "x", ""])
def test_a_wait_out_of_range_is_refused(api: Api, wait: str) -> None:
    [fault] = decoded(api.get("deliveries/none/", wait=wait))["errors"]
    assert (fault["parameter"], fault["allowed"]) == ("wait", ["0 to 30"])


def test_waiting_ends_when_the_delivery_is_projected(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    posted = decoded(api.post(a_body({"no": "event"})))["delivery"]
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds
        command_service().process_events(ProcessEvents(), NOW)

    monkeypatch.setattr("crm_api.views.ingest.waiters", lambda: Waiters(1, lambda: clock[0], sleep))
    status = decoded(api.get(f"deliveries/{posted}/", wait="30"))
    assert (status["status"], clock[0]) == ("projected", 0.05)


def test_an_update_in_the_log_is_not_yet_projected(api: Api) -> None:
    posted = decoded(api.post(a_body(a_change(stream=a_stream(3)))))["delivery"]
    command_service().process_events(ProcessEvents(), NOW)
    assert decoded(api.get(f"deliveries/{posted}/"))["status"] == "recorded"
