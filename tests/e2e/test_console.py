"""An operator at work, in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from crm_events import entry
from crm_events.models import DeadLetter, OperatorAction
from crm_events.ports.commands import AcceptEvents, ProcessEvents
from crm_projections import entry as read_entry
from tests.builders import TIMESTAMP, a_body, a_change, an_id
from tests.e2e.browser import an_administrator, collect_problems, is_too_wide, log_in
from tests.integration.console.pages import NOW

REASON = "Sandbox pointed at production by mistake."


@pytest.mark.usefixtures("transactional_db", "_fresh_adapters")
def test_an_operator_finds_a_record_and_discards_its_dead_letter_on_a_phone(page: Page) -> None:
    _arrange()
    problems = collect_problems(page)
    log_in(page)
    page.goto("/admin/crm_events/record/")
    page.get_by_role("link", name="Halvorsen Marine AS").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Halvorsen Marine AS")
    expect(page.locator(".cm-timeline > li")).to_have_count(2)
    assert not is_too_wide(page)
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
    an_administrator()
    update = a_change("UPDATE", {"Phone": "12345"}, timestamp=TIMESTAMP + 1000)
    body = a_body(a_change("CREATE", {"Name": "Halvorsen Marine AS"}), update, a_change("TRANSFER"))
    entry.command_service().accept_events(AcceptEvents(body, "forwarder"), NOW)
    processed = entry.command_service().process_events(ProcessEvents(), NOW)
    read_entry.projector().project(processed.streams, NOW)
    # The event could not be read, so its letter does not know whose it is; one about a single record does.
    DeadLetter.objects.update(record=an_id())
