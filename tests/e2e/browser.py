"""A visitor of the console in a real browser."""

from typing import Any

from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

PASSWORD = "marine-2026-lindqvist"


def an_administrator() -> None:
    """Let ``mara`` do everything."""
    User.objects.create_superuser("mara", password=PASSWORD)


def log_in(page: Page) -> None:
    """Log in as ``mara``, and wait for the start page."""
    page.goto("/admin/")
    page.get_by_label("Username").fill("mara")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Start")


def collect_problems(page: Page) -> list[str]:
    """Return a list that fills with what scripts complain of and with requests to anywhere else."""
    problems: list[str] = []

    def note_request(request: Any) -> None:
        if not request.url.startswith(("http://localhost:", "http://127.0.0.1:", "data:")):
            problems.append(request.url)

    def note_message(message: Any) -> None:
        # A form with a mistake in it is answered with 400, and the browser tells of that too.
        if message.type == "error" and "status of 400" not in message.text:
            problems.append(message.text)

    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", note_message)
    page.on("request", note_request)
    return problems


def is_too_wide(page: Page) -> bool:
    """Say whether the page has to be moved sideways."""
    wide: bool = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return wide
