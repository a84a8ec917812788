"""An operator at work, in a real browser."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from crm_events import backends as event_backends
from crm_events import entry
from crm_events.models import DeadLetter, OperatorAction
from crm_events.ports.commands import AcceptEvents, ProcessEvents
from crm_projections import backends as read_backends
from crm_projections import entry as read_entry
from tests.builders import TIMESTAMP, a_body, a_change, an_id
from tests.integration.console.pages import NOW

CHROMIUM = shutil.which("chromium")
_IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
_ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
REASON = "Sandbox pointed at production by mistake."


@pytest.fixture(scope="module")
def _chromium() -> str:
    if CHROMIUM is None and _IN_CI:
        pytest.fail("no Chromium on this machine (install the package chromium), and CI must test in a browser.")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (install the package chromium)")
    return CHROMIUM


@pytest.fixture
def _fresh_adapters() -> Iterator[None]:
    """Build services anew on the adapters of the settings, whatever tests before this one had."""
    built = (
        event_backends.event_store,
        entry.command_service,
        entry.dead_letter_desk,
        read_backends.read_model,
        read_backends.broadcaster,
        read_entry.projector,
    )
    for each in built:
        each.cache_clear()
    yield
    for each in built:
        each.cache_clear()


@pytest.fixture
def page(_chromium: str, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    # Playwright's own loop runs in this thread, and Django takes it for a view that must not wait.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium, args=_ARGS)
        context = browser.new_context(base_url=live_server.url, viewport={"width": 390, "height": 844})
        yield context.new_page()
        browser.close()


@pytest.mark.usefixtures("transactional_db", "_fresh_adapters")
def test_an_operator_finds_a_record_and_discards_its_dead_letter_on_a_phone(page: Page) -> None:
    _arrange()
    problems = _collect_problems(page)
    _log_in(page)
    page.goto("/admin/crm_events/record/")
    page.get_by_role("link", name="Halvorsen Marine AS").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Halvorsen Marine AS")
    expect(page.locator(".cm-timeline > li")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") == page.viewport_size["width"]  # type: ignore[index]
    page.get_by_role("link", name="1 open, 0 closed").click()
    page.get_by_role("link", name="Unknown change type").click()
    page.get_by_role("button", name="Discard…").click()
    page.get_by_role("button", name="Discard 1 dead letter").click()
    expect(page.get_by_role("alert")).to_contain_text("Say in at least 10 characters why")
    page.get_by_label("Reason").fill(REASON)
    page.get_by_role("button", name="Discard 1 dead letter").click()
    expect(page.get_by_role("status")).to_contain_text("1 dead letter discarded.")
    assert DeadLetter.objects.get().reason == REASON
    assert OperatorAction.objects.get().who == "mara"
    assert problems == []


def _arrange() -> None:
    User.objects.create_superuser("mara", password="marine-2026-lindqvist")
    update = a_change("UPDATE", {"Phone": "12345"}, timestamp=TIMESTAMP + 1000)
    body = a_body(a_change("CREATE", {"Name": "Halvorsen Marine AS"}), update, a_change("TRANSFER"))
    entry.command_service().accept_events(AcceptEvents(body, "forwarder"), NOW)
    processed = entry.command_service().process_events(ProcessEvents(), NOW)
    read_entry.projector().project(processed.streams, NOW)
    # The event could not be read, so its letter does not know whose it is; one about a single record does.
    DeadLetter.objects.update(record=an_id())


def _log_in(page: Page) -> None:
    page.goto("/admin/")
    page.get_by_label("Username").fill("mara")
    page.get_by_label("Password").fill("marine-2026-lindqvist")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Start")


def _collect_problems(page: Page) -> list[str]:
    """Return a list that fills with errors of the page's scripts and with requests to anywhere else."""
    problems: list[str] = []

    def note_request(request: Any) -> None:
        if not request.url.startswith(("http://localhost:", "http://127.0.0.1:", "data:")):
            problems.append(request.url)

    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", note_request)
    return problems
