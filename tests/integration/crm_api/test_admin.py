import re

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from crm_api.auth import create_key, find_key
from crm_api.errors import KeyRejectedError
from crm_api.models import ApiKey
from crm_events.models import OperatorAction
from tests.integration.crm_api.api import NOW, a_key

pytestmark = pytest.mark.django_db
LIST = "/admin/crm_api/apikey/"


@pytest.fixture
def console() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("anna"))
    return client


def _make(console: Client, **changed: object) -> HttpResponse:
    values = {"name": "event-relay", "scopes": ["ingest", "read"], "reason": "for the relay", **changed}
    response: HttpResponse = console.post(f"{LIST}add/", values)  # type: ignore[assignment]
    return response


def test_a_new_key_is_shown_once_and_works(console: Client) -> None:
    response = _make(console)
    shown = re.search(r'id="api-key">(cms_[^<]+)<', response.content.decode())
    assert shown is not None
    assert "no-store" in response["Cache-Control"]
    row = find_key(f"Bearer {shown[1]}", timezone.now())
    assert row is not None
    assert (row.name, row.scopes) == ("event-relay", ["ingest", "read"])
    pages = [console.get(LIST), console.get(f"{LIST}{row.pk}/change/")]
    assert all(page.status_code == 200 and shown[1] not in page.content.decode() for page in pages)


def test_who_made_a_key_and_why_is_kept(console: Client) -> None:
    _make(console)
    action = OperatorAction.objects.get()
    assert (action.who, action.verb, action.reason) == ("anna", "create API key", "for the relay")


@pytest.mark.parametrize(
    "changed",
    [
        {"scopes": []},
        {"scopes": ["write"]},
        {"name": ""},
        {"reason": ""},
        {"expires_at_0": "2020-01-01", "expires_at_1": "00:00"},
    ],
)
def test_what_makes_no_key_is_refused(console: Client, changed: dict[str, object]) -> None:
    assert _make(console, **changed).status_code == 200
    assert not ApiKey.objects.exists()


def test_revoking_asks_why_first(console: Client) -> None:
    row, key = create_key("event-relay", ["read"], NOW)
    chosen = {"action": "revoke", "_selected_action": [row.pk]}
    assert b"Revoke 1" in console.post(LIST, chosen).content
    assert find_key(f"Bearer {key}", NOW) is not None
    console.post(LIST, {**chosen, "confirmed": "yes", "reason": ""})
    assert find_key(f"Bearer {key}", NOW) is not None


def test_a_revoked_key_ends_and_who_did_it_is_kept(console: Client) -> None:
    row, key = create_key("event-relay", ["read"], NOW)
    sent = {"action": "revoke", "_selected_action": [row.pk], "confirmed": "yes", "reason": "leaked"}
    page = console.post(LIST, sent, follow=True).content.decode()
    assert "Revoked 1 of 1 keys" in page
    with pytest.raises(KeyRejectedError):
        find_key(f"Bearer {key}", NOW)
    action = OperatorAction.objects.get()
    assert (action.who, action.verb, action.reason) == ("anna", "revoke API key", "leaked")


def test_the_list_shows_state_and_last_use(console: Client) -> None:
    find_key(f"Bearer {a_key()}", NOW)
    page = console.get(LIST).content.decode()
    assert "Active" in page
    assert "Oct. 6, 2026" in page


def test_keys_are_neither_changed_nor_deleted(console: Client) -> None:
    row, _ = create_key("event-relay", ["read"], NOW)
    assert console.post(f"{LIST}{row.pk}/change/", {"name": "other"}).status_code == 403
    assert console.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert ApiKey.objects.get().name == "event-relay"


def test_a_user_without_the_permission_neither_makes_nor_revokes() -> None:
    row, key = create_key("event-relay", ["read"], NOW)
    client = Client()
    client.force_login(User.objects.create_user("bo", is_staff=True))
    assert client.post(f"{LIST}add/", {"name": "x"}).status_code == 403
    client.post(LIST, {"action": "revoke", "_selected_action": [row.pk], "confirmed": "yes", "reason": "x"})
    assert find_key(f"Bearer {key}", NOW) is not None
