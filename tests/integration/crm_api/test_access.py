from datetime import timedelta

import pytest
from django.core.cache import caches
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern
from django.utils import timezone
from pytest_django import Settings

from crm_api import urls
from crm_api.auth import authenticate_request, create_key, find_key, hash_key, revoke_key
from crm_api.errors import KeyRejectedError, KeyRequiredError, ScopeMissingError
from crm_api.models import ApiKey
from tests.builders import an_id
from tests.integration.crm_api.api import NOW, Api, a_key, decoded

pytestmark = pytest.mark.django_db
READS = ["clients/", f"clients/{an_id()}/", f"clients/{an_id()}/events/", "entities/deal/", "schema/"]


def _addresses() -> list[str]:
    routes = [
        str(entry.pattern) for entry in urls.urlpatterns if isinstance(entry, URLPattern) and entry.name != "docs"
    ]
    filled = (r.replace("<str:entity_id>", an_id()).replace("<str:entity>", "client") for r in routes if r)
    return [f"/api/{route.replace('<str:delivery_id>', 'x').replace('<str:run_id>', '1')}" for route in filled]


@pytest.mark.parametrize("address", _addresses())
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"])
def test_nothing_is_done_without_a_key(address: str, method: str) -> None:
    response = Api().send(method, address)
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "header", ["Bearer wrong", "Bearer", "Bearer  ", "Basic dXNlcjpwYXNz", "x", "Bearer " + "k" * 999, "Bearer é"]
)
def test_a_wrong_key_is_a_401(header: str) -> None:
    api = Api()
    api.headers = {"Authorization": header}
    response = api.get("clients/")
    assert (response.status_code, decoded(response)["type"]) == (401, "urn:crm:problem:key-rejected")


@pytest.mark.parametrize("address", READS)
def test_a_key_without_read_is_a_403_that_names_the_scope(address: str) -> None:
    response = Api(a_key("ingest")).get(address)
    assert (response.status_code, "lacks the scope read" in decoded(response)["detail"]) == (403, True)
    assert 'scope="read"' in response["WWW-Authenticate"]


@pytest.mark.parametrize("scope", ["read", "operate"])
def test_posting_events_needs_ingest(scope: str) -> None:
    response = Api(a_key(scope)).post(b"{}")
    assert (response.status_code, "lacks the scope ingest" in decoded(response)["detail"]) == (403, True)


@pytest.mark.parametrize("scope", ["ingest", "read", "operate"])
def test_deliveries_are_read_with_ingest_or_read(scope: str) -> None:
    assert Api(a_key(scope)).get("deliveries/none/").status_code == 404


def test_operate_includes_read() -> None:
    assert Api(a_key("operate")).get("clients/").status_code == 200


def test_the_word_bearer_is_known_in_any_case() -> None:
    key = a_key("read")
    assert find_key(f"bEARER {key}", NOW) is not None


def test_only_the_hash_of_a_key_is_kept() -> None:
    key = a_key("read")
    row = ApiKey.objects.get()
    assert (row.key_hash, row.prefix) == (hash_key(key), key[:12])
    assert key not in str(vars(row))


def test_a_key_holds_256_random_bits() -> None:
    first, second = a_key(), a_key()
    assert first.startswith("cms_")
    assert len(first) == len("cms_") + 43
    assert first != second


def test_a_revoked_key_is_refused_at_once() -> None:
    row, key = create_key("a caller", ["read"], NOW)
    api = Api(key)
    assert api.get("clients/").status_code == 200
    assert revoke_key(row.pk, NOW)
    assert api.get("clients/").status_code == 401
    assert not revoke_key(row.pk, NOW)


def test_a_key_ends_at_its_time() -> None:
    _, key = create_key("a caller", ["read"], NOW, NOW + timedelta(days=1))
    assert find_key(f"Bearer {key}", NOW + timedelta(hours=23)) is not None
    with pytest.raises(KeyRejectedError):
        find_key(f"Bearer {key}", NOW + timedelta(days=1))


def test_last_use_is_written_at_most_once_a_minute() -> None:
    header = f"Bearer {a_key()}"
    uses = []
    for seconds in (0, 59, 60, 61):
        find_key(header, NOW + timedelta(seconds=seconds))
        uses.append(ApiKey.objects.get().last_used_at)
    minute = NOW + timedelta(seconds=60)
    assert uses == [NOW, NOW, minute, minute]


def test_finding_a_key_costs_one_query() -> None:
    header = f"Bearer {a_key()}"
    find_key(header, NOW)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        find_key(header, NOW)
    assert len(queries) == 1


def test_other_views_check_the_same_keys() -> None:
    key = a_key("read")
    request = RequestFactory().get("/metrics", headers={"Authorization": f"Bearer {key}"})
    assert authenticate_request(request, "read").name == "a caller"
    with pytest.raises(ScopeMissingError):
        authenticate_request(request, "ingest")
    with pytest.raises(KeyRequiredError):
        authenticate_request(RequestFactory().get("/metrics"), "read")


def test_too_many_requests_are_a_429_that_says_when_to_go_on(settings: Settings) -> None:
    settings.CRM_API_RATE = "2/hour"
    api, other = Api(a_key()), Api(a_key())
    assert [api.get("clients/").status_code for _ in range(3)] == [200, 200, 429]
    assert 1 <= int(api.get("clients/")["Retry-After"]) <= 3600
    assert other.get("clients/").status_code == 200


def test_a_full_cache_does_not_break_the_rate(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CRM_API_RATE = "1/hour"
    monkeypatch.setattr(caches["default"], "add", lambda *_args, **_kwargs: False)
    assert Api(a_key()).get("clients/").status_code == 200


def test_the_command_prints_the_key_alone_on_the_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_api_key", "event-relay", "--scopes", "ingest,read")
    key = capsys.readouterr().out.splitlines()[-1]
    row = find_key(f"Bearer {key}", timezone.now())
    assert row is not None
    assert (row.name, row.scopes, row.expires_at) == ("event-relay", ["ingest", "read"], None)


def test_the_command_makes_keys_that_end(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_api_key", "x", "--scopes", "read", "--expires", "30")
    assert capsys.readouterr().out
    left = ApiKey.objects.get().expires_at
    assert left is not None
    assert timedelta(days=29) < left - timezone.now() <= timedelta(days=30)


@pytest.mark.parametrize(
    "arguments",
    [
        ["x", "--scopes", "write"],
        ["x", "--scopes", ""],
        ["", "--scopes", "read"],
        ["x" * 101, "--scopes", "read"],
        ["x", "--scopes", "read", "--expires", "0"],
    ],
)
def test_the_command_refuses_what_makes_no_key(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("create_api_key", *arguments)
    assert not ApiKey.objects.exists()
