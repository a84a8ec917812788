from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from crm_events import entry
from crm_events.adapters.memory_source import MemoryCrmSource
from crm_events.backends import api_budget, runs
from crm_events.models import OperatorAction
from crm_events.ports.crm_source import (
    ApiUsage,
    CrmSourceError,
    SourceAccessError,
    SourceLimitError,
    SourceUnavailableError,
)
from crm_events.ports.runs import RunProgress, RunQuery, RunRequest, RunStatus
from tests.builders import an_id
from tests.integration.console.pages import text_of

pytestmark = pytest.mark.django_db
BACKFILL = "/admin/crm_events/run/backfill/"
REASON = "History before the first event."


@pytest.fixture
def org(source: MemoryCrmSource) -> MemoryCrmSource:
    source.put("Account", *({"Id": an_id(n), "Name": f"Account {n}"} for n in range(1, 6)))
    return source


def send(client: Client, step: str = "look", **fields: str) -> Any:
    return client.post(BACKFILL, {"step": step, "entity": "Account", "reason": REASON, **fields})


def said(answer: Any) -> str:
    text: str = answer.content.decode()
    return text


def refused(answer: Any) -> str:
    assert answer.status_code == 400
    assert runs().find(RunQuery()) == []
    return said(answer)


class TestQuestions:
    @pytest.mark.usefixtures("org")
    def test_offer_what_a_backfill_can_do(self, admin: Client) -> None:
        page = text_of(admin, BACKFILL)
        for name in ("entity", "since", "where", "ids", "mode", "dry_run", "broadcast", "include_deleted", "reason"):
            assert f'name="{name}"' in page

    def test_without_a_source_say_what_to_set(self, admin: Client) -> None:
        page = text_of(admin, BACKFILL)
        assert "No source is set up" in page
        assert "Set CRM_SOURCE=salesforce, SALESFORCE_URL" in page
        assert "No source is set up" in refused(send(admin, "start"))

    @pytest.mark.usefixtures("org")
    def test_can_be_prepared_by_a_link(self, admin: Client) -> None:
        assert 'value="Lead"' in text_of(admin, BACKFILL, entity="Lead")

    @pytest.mark.usefixtures("org")
    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"entity": ""}, "Name an object"),
            ({"entity": "no such name!"}, "is the name of no object"),
            ({"since": "tomorrow"}, "Wanted a day and a time"),
            ({"ids": "123"}, "is no Salesforce record id"),
            ({"ids": an_id(), "where": "Name != null"}, "not both"),
            ({"ids": an_id(), "mode": "bulk"}, "are read by REST"),
            ({"reason": "short"}, "at least 10 characters"),
        ],
    )
    def test_say_at_each_field_what_is_wrong(self, admin: Client, fields: dict[str, str], words: str) -> None:
        assert words in refused(send(admin, **fields))

    @pytest.mark.usefixtures("org")
    def test_refuse_a_time_that_has_not_come(self, admin: Client) -> None:
        tomorrow = timezone.now() + timedelta(days=1)
        assert "has not come yet" in refused(send(admin, since=tomorrow.strftime("%Y-%m-%dT%H:%M")))

    @pytest.mark.usefixtures("org")
    def test_keep_what_was_written_when_somebody_goes_back(self, admin: Client) -> None:
        form = send(admin, "change", where="Name != null", dry_run="True", broadcast="False").context["form"]
        assert (form["where"].value(), form["reason"].value()) == ("Name != null", REASON)
        assert "checked" in str(form["dry_run"])
        assert "checked" not in str(form["broadcast"])


@pytest.mark.usefixtures("org")
class TestSheet:
    def test_says_rows_calls_way_and_that_no_rate_is_known(self, admin: Client) -> None:
        expected = send(admin).context["expected"]
        assert (expected.rows, expected.calls, expected.mode.value) == (5, 3, "rest")
        page = said(send(admin))
        assert "no backfill was measured yet" in page
        assert "Start: read 5 rows" in page

    def test_says_the_time_from_the_rate_of_the_last_ones(self, admin: Client) -> None:
        _a_measured_backfill(rows=20, seconds=8)
        page = said(send(admin))
        assert "at 2.5/s, the rate of the last ones" in page
        assert "<dd>2 s</dd>" in page

    def test_says_how_many_calls_are_left_and_who_slows_down(self, admin: Client) -> None:
        api_budget().note(ApiUsage(60_000, 100_000), timezone.now())
        page = said(send(admin))
        assert "<dd>40,000</dd>" in page
        assert "backfills have 10,000 left before they wait" in page
        assert "so backfill goes slower" in page

    def test_knows_time_and_condition(self, admin: Client) -> None:
        assert send(admin, where="Name = 'Account 3'").context["expected"].rows == 1
        assert send(admin, ids=f"{an_id(1)}, {an_id(2)[:15]} {an_id(1)}").context["expected"].rows == 2

    def test_warns_of_messages(self, admin: Client) -> None:
        assert "up to 5" in said(send(admin, broadcast="on"))
        assert "the backfill is silent" in said(send(admin))

    def test_warns_of_a_backfill_of_the_same_object(self, admin: Client) -> None:
        run = _started(admin)
        assert f"look at run {run}" in said(send(admin))

    def test_starts_nothing(self, admin: Client) -> None:
        send(admin)
        assert runs().find(RunQuery()) == []


class TestSalesforceRefuses:
    def test_the_condition(self, admin: Client, org: MemoryCrmSource) -> None:
        assert org.calls == []
        page = refused(send(admin, where="Nonsense ~ 1"))
        assert "Salesforce refuses the condition: " in page
        assert "MALFORMED_QUERY" in page

    @pytest.mark.usefixtures("org")
    def test_the_object(self, admin: Client) -> None:
        assert "There is no object Wombat" in refused(send(admin, entity="Wombat", where="Name != null"))

    @pytest.mark.parametrize(
        ("error", "words"),
        [
            (SourceAccessError("invalid_grant", "user hasn’t approved this consumer"), "run manage.py doctor"),
            (SourceLimitError("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded"), "try again in an hour"),
            (SourceUnavailableError("SERVER_UNAVAILABLE", "no answer in 120 s"), "try again in a moment"),
        ],
    )
    def test_for_now(self, admin: Client, org: MemoryCrmSource, error: CrmSourceError, words: str) -> None:
        org.fail("count", error)
        assert words in refused(send(admin))


@pytest.mark.usefixtures("org")
class TestStart:
    def test_queues_the_run_with_all_that_was_said(self, admin: Client) -> None:
        fields = {"since": "2026-01-02T03:04", "where": "Name != null", "mode": "bulk", "include_deleted": "on"}
        (run,) = [runs().get(_started(admin, **fields, broadcast="on"))]
        assert (run.kind, run.target, run.started_by, run.reason) == ("backfill", "Account", "mara", REASON)
        assert run.parameters == {
            "since": "2026-01-02T03:04:00+00:00",
            "where": "Name != null",
            "ids": [],
            "mode": "bulk",
            "dry_run": False,
            "broadcast": True,
            "include_deleted": True,
        }

    def test_takes_our_names_for_objects_too(self, admin: Client) -> None:
        assert runs().get(_started(admin, entity="client")).target == "Account"

    def test_of_a_dry_run_broadcasts_nothing(self, admin: Client) -> None:
        parameters = runs().get(_started(admin, dry_run="on", broadcast="on")).parameters
        assert (parameters["dry_run"], parameters["broadcast"]) == (True, False)

    def test_is_in_the_audit(self, admin: Client) -> None:
        _started(admin)
        action = OperatorAction.objects.get()
        assert (action.who, action.verb, action.target, action.reason) == ("mara", "start backfill", "Account", REASON)

    def test_ends_with_the_rows_in_the_log(self, admin: Client) -> None:
        run = _started(admin)
        entry.bulk_runner().sweep()
        assert runs().get(run).status is RunStatus.DONE
        page = text_of(admin, f"/admin/crm_events/run/{run}/change/")
        assert "5 rows read in" in page
        assert "100 %" in page


def _started(client: Client, **fields: str) -> int:
    answer = send(client, "start", **fields)
    assert answer.status_code == 302, said(answer)
    return int(answer["Location"].split("/")[-3])


def _a_measured_backfill(rows: int, seconds: int) -> None:
    now = timezone.now()
    run = runs().claim(runs().create(RunRequest("backfill", "Lead", {}, "tests"), now).id, now)
    assert run is not None
    run = runs().advance(run, RunProgress(None, {"rows": rows}, rows), now + timedelta(seconds=seconds))
    runs().finish(run, RunStatus.DONE, now + timedelta(seconds=seconds))
