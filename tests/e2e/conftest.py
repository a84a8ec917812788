import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from crm_events import backends as event_backends
from crm_events import entry
from crm_projections import backends as read_backends
from crm_projections import entry as read_entry

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
_BUILT = (
    event_backends.event_store,
    event_backends.crm_source,
    event_backends.api_budget,
    entry.command_service,
    entry.dead_letter_desk,
    entry.bulk_runner,
    read_backends.read_model,
    read_backends.broadcaster,
    read_entry.projector,
)


@pytest.fixture(scope="session")
def _chromium() -> str:
    if CHROMIUM is None and _IN_CI:
        pytest.fail("no Chromium on this machine (install the package chromium), and CI must test in a browser.")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (install the package chromium)")
    return CHROMIUM


@pytest.fixture
def _fresh_adapters() -> Iterator[None]:
    """Build services anew on the adapters of the settings, whatever tests before this one had."""
    for each in _BUILT:
        each.cache_clear()
    yield
    for each in _BUILT:
        each.cache_clear()


@pytest.fixture
def page(_chromium: str, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """Open a phone's browser."""
    # Playwright's own loop runs in this thread, and Django takes it for a view that must not wait.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium, args=_ARGS)
        context = browser.new_context(base_url=live_server.url, viewport={"width": 390, "height": 844})
        yield context.new_page()
        browser.close()
