"""An operator starts a backfill, follows it, lets it rest and sees it end, in a real browser."""

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from crm_events import entry
from crm_events.adapters.memory_source import MemoryCrmSource
from crm_events.backends import crm_source, event_store, runs
from crm_events.models import OperatorAction
from crm_events.ports.commands import StartBackfill
from crm_events.ports.runs import RunQuery, RunStatus, RunView
from crm_events.services.backfill import BackfillOptions
from tests.builders import an_id
from tests.e2e.browser import an_administrator, collect_problems, is_too_wide, log_in
from tests.integration.console.pages import NOW

pytestmark = pytest.mark.usefixtures("transactional_db", "_fresh_adapters")
BACKFILL = "/admin/crm_events/run/backfill/"
REASON = "History before the first event."
# The page follows every two seconds.
FOLLOWS = 15_000


@pytest.fixture
def org(settings: Any, _fresh_adapters: None) -> MemoryCrmSource:
    settings.CRM_SOURCE = {"BACKEND": "crm_events.adapters.memory_source.MemoryCrmSource", "OPTIONS": {}}
    source = crm_source()
    assert isinstance(source, MemoryCrmSource)
    source.page_size = 20
    source.put("Account", *({"Id": an_id(n), "Name": f"Account {n}"} for n in range(1, 101)))
    return source


def work_a_page() -> RunView:
    """Let a worker take the run for one page."""
    entry.bulk_runner().sweep(timedelta())
    (run,) = runs().find(RunQuery())
    return run


def work_until(rows: int) -> None:
    while work_a_page().counts.get("rows", 0) < rows:
        pass


@pytest.mark.usefixtures("org")
def test_a_backfill_is_estimated_started_paused_resumed_and_seen_to_its_end(page: Page) -> None:
    an_administrator()
    problems = collect_problems(page)
    log_in(page)
    page.goto(BACKFILL)
    page.get_by_label("Object").fill("client")
    page.get_by_label("Reason").fill("short")
    page.get_by_role("button", name="Look at what it takes").click()
    expect(page.get_by_role("alert")).to_contain_text("at least 10 characters")
    page.get_by_label("Reason").fill(REASON)
    page.get_by_role("button", name="Look at what it takes").click()
    expect(page.get_by_role("heading", level=2).first).to_have_text("Backfill Account: 100 rows")
    assert not is_too_wide(page)
    page.get_by_role("button", name="Start: read 100 rows").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Backfill Account")
    state = page.locator(".cm-title .cm-state")
    expect(state).to_contain_text("Queued")

    work_until(40)
    expect(page.locator(".cm-run-figures")).to_contain_text("40 of 100 rows", timeout=FOLLOWS)
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(state).to_contain_text("Paused")
    assert work_a_page().counts["rows"] == 40
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("status")).to_contain_text("It goes on from where it was.")
    work_until(60)
    expect(page.locator(".cm-run-figures")).to_contain_text("60 of 100 rows", timeout=FOLLOWS)
    assert not is_too_wide(page)

    entry.bulk_runner().sweep()
    expect(state).to_contain_text("Done", timeout=FOLLOWS)
    expect(page.get_by_text("100 records were brought up to date.")).to_be_visible()
    expect(page.locator("[data-live]")).to_have_attribute("data-live", "0")
    assert event_store().statistics().pending_streams == 100
    assert list(OperatorAction.objects.order_by("id").values_list("who", "verb")) == [
        ("mara", "start backfill"),
        ("mara", "pause run"),
        ("mara", "resume run"),
    ]
    assert problems == []


def test_a_page_stands_still_when_somebody_wants_it_to(page: Page, org: MemoryCrmSource) -> None:
    assert org.calls == []
    run = _a_queued_backfill()
    page.set_viewport_size({"width": 1440, "height": 900})
    log_in(page)
    page.goto(f"/admin/crm_events/run/{run.id}/change/")
    live = page.locator(".cm-live")
    expect(live).to_contain_text("Live")
    page.get_by_role("button", name="Let the page stand still").click()
    expect(live).to_contain_text("Stands still")
    entry.bulk_runner().sweep()
    with pytest.raises(AssertionError):
        expect(page.locator(".cm-title .cm-state")).to_contain_text("Done", timeout=5_000)
    page.get_by_role("button", name="Let the page stand still").click()
    expect(page.locator(".cm-title .cm-state")).to_contain_text("Done", timeout=FOLLOWS)
    expect(live).to_contain_text("Ended")


@pytest.mark.usefixtures("org")
def test_a_run_is_cancelled_only_after_a_question(page: Page) -> None:
    run = _a_queued_backfill()
    log_in(page)
    page.goto(f"/admin/crm_events/run/{run.id}/change/")
    page.get_by_role("button", name="Cancel…").click()
    expect(page.get_by_role("heading", level=2)).to_contain_text("Cancel “Backfill Account”?")
    page.get_by_role("link", name="Back").click()
    assert runs().get(run.id).status is RunStatus.QUEUED
    page.get_by_role("button", name="Cancel…").click()
    page.get_by_label("Reason").fill("Wrong object.")
    page.get_by_role("button", name="Cancel the run").click()
    expect(page.locator(".cm-title .cm-state")).to_contain_text("Cancelled")
    assert runs().get(run.id).status is RunStatus.CANCELLED


def _a_queued_backfill() -> RunView:
    an_administrator()
    command = StartBackfill("Account", BackfillOptions().to_parameters(), "mara", REASON)
    return runs().get(entry.command_service().start_backfill(command, NOW))
