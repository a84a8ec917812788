"""Visitors of the console, and records for them to look at."""

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import Client

from crm_events.entry import command_service
from crm_events.models import DeadLetter
from crm_events.ports.commands import AcceptEvents, ProcessEvents
from crm_projections.entry import projector
from tests.builders import a_body, a_change

NOW = datetime(2026, 10, 6, 7, 20, 40, 123_000, tzinfo=UTC)
LETTERS = "/admin/crm_events/deadletter/"
RECORDS = "/admin/crm_events/record/"


def a_visitor(*permissions: str) -> Client:
    """Return the browser of somebody of the staff who has these rights (``crm_events.view_record``) and no more."""
    user = User.objects.create_user(f"operator-{User.objects.count() + 1}", is_staff=True)
    for name in permissions:
        app, codename = name.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def an_administrator() -> Client:
    """Return the browser of somebody who may do everything."""
    client = Client()
    client.force_login(User.objects.create_superuser("mara"))
    return client


def arrive(*changes: dict[str, Any]) -> str:
    """Deliver changes, bring them into the log and to readers; return the delivery's id."""
    delivery = command_service().accept_events(AcceptEvents(a_body(*changes), "forwarder"), NOW)
    processed = command_service().process_events(ProcessEvents(), NOW)
    projector().project(processed.streams, NOW)
    return delivery.id


def an_open_letter() -> DeadLetter:
    """Return a dead letter about an event of an unknown type."""
    arrive(a_change("TRANSFER"))
    return DeadLetter.objects.latest("id")


def text_of(client: Client, address: str, **query: str) -> str:
    """Return a page's HTML; anything but a 200 fails."""
    response = client.get(address, query_params=query)
    assert response.status_code == 200, (response.status_code, response.content[:500])
    return response.content.decode()
