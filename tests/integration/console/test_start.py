from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from crm_api.auth import create_key
from crm_events.backends import event_store
from crm_events.ports.event_store import EventStoreUnavailableError, StreamAppend
from tests.builders import a_change, a_new_event, a_stream
from tests.integration.console.pages import NOW, a_visitor, an_open_letter, arrive, text_of


def test_an_empty_service_shows_three_steps(admin: Client) -> None:
    page = text_of(admin, "/admin/")
    for words in (
        "waiting for the first event",
        "Create an API key",
        "http://testserver/api/v1/events/",
        "ingest_file",
    ):
        assert words in page


def test_a_key_that_may_post_ticks_the_first_step_off(admin: Client) -> None:
    create_key("reporting", ["read"], NOW)
    assert "cm-step--done" not in text_of(admin, "/admin/")
    create_key("forwarder-prod", ["ingest"], NOW)
    page = text_of(admin, "/admin/")
    assert "cm-step--done" in page
    assert "forwarder-prod" in page


def test_a_service_without_trouble_is_healthy(admin: Client) -> None:
    arrive(a_change("CREATE"))
    assert "Healthy: Every change is recorded, served and broadcast." in text_of(admin, "/admin/")


def test_an_open_dead_letter_asks_for_a_decision(admin: Client) -> None:
    an_open_letter()
    page = text_of(admin, "/admin/")
    assert "Degraded: Some changes could not be handled: 1 dead letter waits." in page
    assert "open the dead letters and decide" in page


def test_a_blocked_record_is_counted(admin: Client) -> None:
    arrive(a_change("CREATE"))
    event_store().set_blocked([a_stream()], blocked=True)
    assert "1 record is blocked." in text_of(admin, "/admin/")


def test_changes_that_wait_too_long_are_said_first(admin: Client) -> None:
    an_open_letter()
    event_store().append(
        [StreamAppend(a_stream(5), [a_new_event(stream=a_stream(5))])], timezone.now() - timedelta(hours=2)
    )
    assert "Degraded: Changes wait for 2 h before they can be read" in text_of(admin, "/admin/")


def test_a_log_that_does_not_answer_is_a_failure(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise EventStoreUnavailableError

    arrive(a_change("CREATE"))
    monkeypatch.setattr(event_store(), "statistics", refuse)
    assert "Failing: The event store does not answer" in text_of(admin, "/admin/")


@pytest.mark.django_db
def test_figures_are_shown_to_those_who_may_see_what_is_behind_them() -> None:
    arrive(a_change("CREATE"))
    assert "You may not see any figures yet." in text_of(a_visitor(), "/admin/")
    tiles = a_visitor("crm_events.view_delivery").get("/admin/").context["tiles"]
    assert [tile.title for tile in tiles] == ["Deliveries waiting"]
