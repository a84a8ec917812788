from typing import Any

import pytest
from django.test import override_settings
from pytest_django import Settings

from config.checks import check_broker, check_secret_key, check_waiters
from crm_events.backends import AdapterSetting, check_adapter
from crm_events.checks import check_adapters as check_write_side
from crm_events.ports.event_store import EventStore
from crm_projections.checks import check_adapters as check_read_side

STORE = AdapterSetting("CRM_EVENT_STORE", EventStore, "crm_events.E001", "Name another.")


def test_accepts_the_adapters_of_an_empty_environment() -> None:
    assert check_write_side() == []
    assert check_read_side() == []


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"BACKEND": "crm_events.nowhere.Store", "OPTIONS": {}}, "No module named"),
        ({"BACKEND": "dinamodb", "OPTIONS": {}}, "doesn't look like a module path"),
        ({"BACKEND": "crm_events.ports.event_store.StreamPage", "OPTIONS": {}}, "is no EventStore"),
        ("sql", "must hold BACKEND and OPTIONS"),
    ],
)
def test_names_what_is_wrong_with_an_adapter(value: Any, said: str, settings: Settings) -> None:
    settings.CRM_EVENT_STORE = value
    (message,) = check_adapter(STORE)
    assert said in str(message.msg)
    assert (message.id, message.hint) == ("crm_events.E001", "Name another.")


def test_refuses_a_secret_key_of_one_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    assert [message.id for message in check_secret_key()] == ["config.E001"]
    monkeypatch.setenv("SECRET_KEY", "x" * 60)
    assert check_secret_key() == []


def test_warns_of_a_broker_in_memory() -> None:
    assert [message.id for message in check_broker()] == ["config.W001"]
    with override_settings(BROKER_IS_EMBEDDED=False):
        assert check_broker() == []


def test_refuses_a_server_that_can_be_all_waiting() -> None:
    assert check_waiters() == []
    with override_settings(CRM_API_MAX_WAITERS=16, WEB_THREADS=16):
        assert [message.id for message in check_waiters()] == ["config.E002"]
