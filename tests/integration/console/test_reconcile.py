from typing import Any

import pytest
from django.test import Client

from crm_events import entry
from crm_events.adapters.memory_source import MemoryCrmSource
from crm_events.backends import drift_report, event_store, runs
from crm_events.domain.drift import Cause, Check
from crm_events.models import OperatorAction
from crm_events.ports.drift_report import DifferenceQuery
from crm_events.ports.event_store import EventStoreUnavailableError
from crm_events.ports.runs import RunQuery, RunStatus
from tests.builders import a_change, a_stream, an_id
from tests.integration.console.pages import arrive, text_of

pytestmark = pytest.mark.django_db
CHECK = "/admin/crm_events/run/check/"
REASON = "After the outage of the relay."


def send(client: Client, *checks: str, **fields: str) -> Any:
    return client.post(CHECK, {"checks": checks, "entity": "", "reason": REASON, **fields}, follow=True)


def two_objects() -> None:
    arrive(a_change("CREATE"), a_change("CREATE", stream=a_stream(entity="Lead")))


def started() -> list[tuple[str, str]]:
    return sorted((run.kind, run.target) for run in runs().find(RunQuery()))


@pytest.mark.usefixtures("source")
def test_starts_a_run_for_each_check_and_object(admin: Client) -> None:
    two_objects()
    page = send(admin, "ids", "unfinished").content.decode()
    assert started() == [("check-ids", "Account"), ("check-ids", "Lead"), ("check-unfinished", "")]
    assert "3 checks are queued." in page


@pytest.mark.usefixtures("source")
def test_of_one_object_leads_to_its_run(admin: Client) -> None:
    two_objects()
    answer = send(admin, "sample", entity="Lead")
    assert started() == [("check-sample", "Lead")]
    assert answer.context["title"] == "Check of a sample of Lead"


@pytest.mark.usefixtures("source")
def test_mends_unless_told_only_to_report(admin: Client) -> None:
    two_objects()
    send(admin, "ids", entity="Account")
    send(admin, "ids", entity="Lead", only_report="on")
    repairs = {run.target: run.parameters["repair"] for run in runs().find(RunQuery())}
    assert repairs == {"Account": True, "Lead": False}


@pytest.mark.usefixtures("source")
def test_does_not_start_what_is_under_way(admin: Client) -> None:
    two_objects()
    send(admin, "ids", entity="Lead")
    page = send(admin, "ids").content.decode()
    assert started() == [("check-ids", "Account"), ("check-ids", "Lead")]
    assert "1 check was under way already and not started again." in page


def test_is_in_the_audit(admin: Client) -> None:
    send(admin, "unfinished")
    action = OperatorAction.objects.get()
    assert (action.who, action.verb, action.reason) == ("mara", "start check-unfinished", REASON)


def test_without_a_source_compares_only_what_is_here(admin: Client) -> None:
    two_objects()
    page = text_of(admin, CHECK)
    assert "nothing is compared with Salesforce" in page
    assert page.count("Needs Salesforce, and no source is set up.") == 3
    assert send(admin, "ids").status_code == 400
    assert started() == []


@pytest.mark.parametrize(
    ("checks", "fields", "words"),
    [
        ((), {}, "Choose at least one check."),
        (("unfinished",), {"reason": "short"}, "at least 10 characters"),
        (("unfinished",), {"entity": "Wombat"}, "not one of the available choices"),
        (("nonsense",), {}, "not one of the available choices"),
    ],
)
def test_says_what_is_missing(admin: Client, checks: tuple[str, ...], fields: dict[str, str], words: str) -> None:
    answer = send(admin, *checks, **fields)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert started() == []


def test_says_that_the_log_is_empty(admin: Client) -> None:
    assert "The log knows no object yet." in text_of(admin, CHECK)
    assert "Nothing to compare" in send(admin, "documents").content.decode()


def test_says_that_the_log_does_not_answer(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise EventStoreUnavailableError

    monkeypatch.setattr(event_store(), "entity_names", refuse)
    assert admin.get(CHECK).status_code == 503


def test_finds_what_differs_and_shows_it(admin: Client, source: MemoryCrmSource) -> None:
    arrive(a_change("CREATE"))
    source.put("Account", {"Id": an_id(), "Name": "Lindqvist Marine AB"}, {"Id": an_id(2), "Name": "Halvorsen"})
    send(admin, "ids")
    entry.bulk_runner().sweep()
    (run,) = runs().find(RunQuery())
    assert run.status is RunStatus.DONE
    found = drift_report().find(DifferenceQuery(checks=[Check.IDS]))
    assert an_id(2) in {one.difference.subject.partition("#")[2] for one in found}
    assert {one.difference.cause for one in found} <= set(Cause)
    assert an_id(2) in text_of(admin, "/admin/crm_events/drift/", run=str(run.id))
