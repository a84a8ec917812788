from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from crm_events.adapters.memory_source import MemoryCrmSource
from crm_events.backends import api_budget, runs
from crm_events.domain.drift import Check, run_kind
from crm_events.models import Feed
from crm_events.ports.crm_source import ApiUsage
from crm_events.ports.runs import RunProgress, RunRequest, RunStatus
from tests.builders import a_change
from tests.integration.console.pages import a_visitor, arrive, text_of

pytestmark = pytest.mark.django_db
FEEDS = "/admin/crm_events/feed/"
HOUR = timedelta(hours=1)


def a_feed(name: str = "Account", hours_ago: float = 0, stalled_hours: float | None = None) -> None:
    now = timezone.now()
    Feed.objects.create(
        entity_name=name,
        last_commit=now - hours_ago * HOUR,
        last_arrival=now - hours_ago * HOUR,
        stalled_since=None if stalled_hours is None else now - stalled_hours * HOUR,
    )


def compared(check: Check = Check.WINDOWS, target: str = "Account", hours_ago: float = 0) -> None:
    at = timezone.now() - hours_ago * HOUR
    run = runs().claim(runs().create(RunRequest(run_kind(check), target, {}, "the schedule"), at).id, at)
    assert run is not None
    runs().finish(run, RunStatus.DONE, at)


def test_without_any_event_say_what_to_do(admin: Client) -> None:
    page = text_of(admin, FEEDS)
    assert "No event came from Salesforce yet." in page
    assert "point the forwarder at this service" in page


@pytest.mark.parametrize(
    ("hours_ago", "stalled_hours", "state", "words"),
    [
        (0.1, None, "Flowing", "nothing is missing"),
        (5, None, "Quiet", "No event came lately."),
        (5.5, 5.5, "Stalled", "<b>66 h "),
        (50.5, 50.5, "Closing", "<b>21 h "),
        (80, 80, "Lost", "<b>none</b>"),
    ],
)
def test_have_a_state_and_what_is_left_of_the_time(
    admin: Client, hours_ago: float, stalled_hours: float | None, state: str, words: str
) -> None:
    a_feed("Account", hours_ago, stalled_hours)
    (row,) = admin.get(FEEDS).context["rows"]
    assert row.state.word == state
    assert words in text_of(admin, FEEDS)
    assert bool(row.following) is (state != "Flowing")


def test_that_are_quiet_say_when_salesforce_had_no_change(admin: Client) -> None:
    a_feed(hours_ago=5)
    compared(hours_ago=0.25)
    (row,) = admin.get(FEEDS).context["rows"]
    assert (row.fact, row.following) == (
        "No event came lately, and 15 min ago Salesforce had no change that was missed.",
        "",
    )


def test_stand_with_the_worst_first(admin: Client) -> None:
    a_feed("Account")
    a_feed("Contact", 5)
    a_feed("Lead", 80, 80)
    a_feed("Opportunity", 5, 5)
    names = [row.feed.entity_name for row in admin.get(FEEDS).context["rows"]]
    assert names == ["Lead", "Opportunity", "Contact", "Account"]


def test_say_when_each_check_came_to_its_end(admin: Client) -> None:
    a_feed()
    compared(Check.IDS, hours_ago=30)
    compared(Check.SAMPLE, hours_ago=1)
    compared(Check.UNFINISHED, "", hours_ago=2)
    context = admin.get(FEEDS).context
    overdue = {cell.check: cell.is_overdue for cell in context["rows"][0].checks if cell.last}
    assert overdue == {Check.IDS: True, Check.SAMPLE: False}
    assert {cell.check: cell.is_overdue for cell in context["whole"] if cell.last} == {Check.UNFINISHED: True}


def test_say_that_quiet_is_not_known_without_a_source(admin: Client) -> None:
    assert "cannot be told from a stalled one" in text_of(admin, FEEDS)


@pytest.mark.usefixtures("source")
def test_with_a_source_say_nothing_of_it(admin: Client) -> None:
    assert "cannot be told from a stalled one" not in text_of(admin, FEEDS)


def test_that_stall_are_counted_in_the_menu(admin: Client) -> None:
    a_feed("Lead", 5, 5)
    assert 'cm-badge--bad">1<span class="cm-hidden"> stalled' in text_of(admin, "/admin/")


class TestCalls:
    def test_are_unknown_before_the_first_one(self, admin: Client) -> None:
        assert "Not known yet." in text_of(admin, FEEDS)

    @pytest.mark.parametrize(
        ("used", "states"),
        [
            (10_000, "Free Free Free"),
            (60_000, "Free Free Slower"),
            (80_000, "Free Slower Waits"),
            (97_000, "Waits " * 3),
        ],
    )
    def test_are_shared_by_need(self, admin: Client, used: int, states: str) -> None:
        api_budget().note(ApiUsage(used, 100_000), timezone.now())
        budget = admin.get(FEEDS).context["budget"]
        assert [share.state.word for share in budget.shares] == states.split()
        assert f"<b>{used:,}</b> of 100,000" in text_of(admin, FEEDS)

    def test_say_who_waits_and_why(self, admin: Client, source: MemoryCrmSource) -> None:
        assert source.calls == []
        now = timezone.now()
        run = runs().claim(runs().create(RunRequest("backfill", "Lead", {}, "mara"), now).id, now)
        assert run is not None
        run = runs().advance(run, RunProgress(None, {}, log=("70 % of the calls are used.",)), now)
        runs().release(run, now, now + HOUR)
        page = text_of(admin, FEEDS)
        assert "Backfill Lead" in page
        assert "70 % of the calls are used." in page


class TestStartPage:
    @pytest.fixture(autouse=True)
    def _arrived(self) -> None:
        arrive(a_change("CREATE"))
        Feed.objects.all().delete()

    def test_shows_the_clock_while_nothing_is_missing(self, admin: Client) -> None:
        a_feed()
        context = admin.get("/admin/").context
        clock = next(tile for tile in context["tiles"] if tile.title == "Recovery clock")
        assert (clock.figure, clock.note, clock.link, clock.state) == ("72 h", "no event is missing", FEEDS, None)
        assert context["sentence"].state.word == "Healthy"

    def test_shows_the_feed_with_the_least_time_left(self, admin: Client) -> None:
        a_feed("Account", 5, 5)
        a_feed("Lead", 50.5, 50.5)
        context = admin.get("/admin/").context
        clock = next(tile for tile in context["tiles"] if tile.title == "Recovery clock")
        assert clock.figure.startswith("21 h ")
        assert clock.state.word == "Closing"
        assert context["sentence"].fact.startswith("Lead: Events are missing")

    def test_says_that_a_feed_stalled(self, admin: Client) -> None:
        a_feed("Lead", 5, 5)
        assert "Degraded: Changes of Lead came to Salesforce, and no event told of them." in text_of(admin, "/admin/")

    def test_shows_runs_in_progress(self, admin: Client) -> None:
        runs().create(RunRequest("backfill", "Lead", {}, "mara"), timezone.now())
        assert "Backfill Lead" in text_of(admin, "/admin/")

    def test_shows_what_calls_are_used(self, admin: Client) -> None:
        api_budget().note(ApiUsage(18_402, 100_000), timezone.now())
        tile = next(tile for tile in admin.get("/admin/").context["tiles"] if tile.title == "Salesforce calls")
        assert (tile.figure, tile.note) == ("18 %", "of 100,000 calls of Salesforce are used")

    def test_shows_nothing_of_it_without_the_right(self) -> None:
        a_feed("Lead", 5, 5)
        context = a_visitor("crm_events.view_delivery").get("/admin/").context
        assert "feeds" not in context
        assert "runs" not in context
