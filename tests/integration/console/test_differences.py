from datetime import timedelta

import pytest
from django.test import Client

from crm_events.backends import drift_report, runs
from crm_events.domain.drift import HARMLESS, Cause, Check, Difference, Remedy, run_kind
from crm_events.ports.runs import RunRequest, RunStatus, RunView
from tests.builders import a_change, an_id
from tests.integration.console.pages import NOW, a_visitor, arrive, text_of

pytestmark = pytest.mark.django_db
DIFFERENCES = "/admin/crm_events/drift/"


def checked(*found: Difference, check: Check = Check.IDS, target: str = "Account", hours_ago: int = 0) -> RunView:
    at = NOW - timedelta(hours=hours_ago)
    run = runs().claim(runs().create(RunRequest(run_kind(check), target, {}, "the schedule"), at).id, at)
    assert run is not None
    drift_report().add(run.id, found, at)
    return runs().finish(run, RunStatus.DONE, at)


def a_difference(n: int = 1, cause: Cause = Cause.MISSED_EVENT, check: Check = Check.IDS) -> Difference:
    detail = "Salesforce has other values than the log."
    return Difference(check, cause, f"Account#{an_id(n)}", ("Name", "Phone"), detail, Remedy.READ_AGAIN)


def shown(client: Client, **query: str) -> list[str]:
    return [row.label for row in client.get(DIFFERENCES, query).context["rows"]]


def counted(client: Client, **query: str) -> dict[tuple[str, str], int]:
    counts = client.get(DIFFERENCES, query).context["counts"]
    return {(row.check.value, row.cause.value): row.number for row in counts}


def test_before_the_first_check_says_what_to_do(admin: Client) -> None:
    page = text_of(admin, DIFFERENCES)
    assert "Nothing was compared yet." in page
    assert 'href="/admin/crm_events/run/check/"' in page
    assert "ask an operator to start one" in text_of(a_visitor("crm_events.view_drift"), DIFFERENCES)


def test_without_any_says_so(admin: Client) -> None:
    checked()
    assert "The last run of each check found none." in text_of(admin, DIFFERENCES)


def test_shows_subject_fields_cause_remedy_and_run(admin: Client) -> None:
    arrive(a_change("CREATE"))
    run = checked(a_difference())
    page = text_of(admin, DIFFERENCES)
    for words in (
        f'href="/admin/crm_events/record/Account/{an_id()}/"',
        "Phone",
        "Missed event",
        "Salesforce has other values than the log.",
        "Read again from Salesforce, into the log",
        f'href="/admin/crm_events/run/{run.id}/change/"',
    ):
        assert words in page
    assert admin.get(f"/admin/crm_events/record/Account/{an_id()}/").status_code == 200


def test_leads_to_a_delivery_that_nobody_finished(admin: Client) -> None:
    delivery = arrive(a_change("CREATE"))
    stuck = Difference(Check.UNFINISHED, Cause.STUCK, f"delivery {delivery}", (), "It came at noon.", Remedy.PROJECTED)
    checked(stuck, check=Check.UNFINISHED, target="")
    assert f'href="/admin/crm_events/delivery/{delivery}/change/"' in text_of(admin, DIFFERENCES)


@pytest.mark.parametrize("cause", list(Cause))
def test_has_words_for_every_cause(admin: Client, cause: Cause) -> None:
    checked(Difference(Check.IDS, cause, f"Account#{an_id()}", remedy=Remedy.LEFT))
    (row,) = admin.get(DIFFERENCES).context["rows"]
    (count,) = admin.get(DIFFERENCES).context["counts"]
    assert row.state.word
    assert count.meaning.endswith(".")
    assert "Nothing; " in row.remedy


def test_shows_what_the_last_run_of_each_check_found(admin: Client) -> None:
    checked(a_difference(1), a_difference(2), hours_ago=9)
    checked(a_difference(3), hours_ago=1)
    checked(a_difference(4, check=Check.SAMPLE), check=Check.SAMPLE, hours_ago=3)
    assert set(shown(admin)) == {an_id(3), an_id(4)}
    assert counted(admin) == {("ids", "missed event"): 1, ("sample", "missed event"): 1}


def test_shows_what_one_run_found(admin: Client) -> None:
    before = checked(a_difference(1), a_difference(2, Cause.LATE), hours_ago=9)
    checked(a_difference(3))
    assert set(shown(admin, run=str(before.id))) == {an_id(1), an_id(2)}
    assert counted(admin, run=str(before.id)) == {("ids", "missed event"): 1, ("ids", "late"): 1}


def test_shows_all_that_are_kept(admin: Client) -> None:
    checked(a_difference(1), hours_ago=9)
    checked(a_difference(2))
    assert shown(admin, scope="all") == [an_id(2), an_id(1)]


def test_counts_what_the_filters_show(admin: Client) -> None:
    checked(a_difference(1), a_difference(2), a_difference(3, Cause.HARD_DELETE))
    assert shown(admin, cause="hard delete") == [an_id(3)]
    assert counted(admin, cause="hard delete") == {("ids", "hard delete"): 1}
    assert shown(admin, check="sample") == []
    assert counted(admin, check="sample") == {}
    assert len(shown(admin, check="nonsense", cause="nonsense", run="nonsense", cursor="nonsense")) == 3


def test_counts_what_settles_by_itself_last(admin: Client) -> None:
    checked(*(a_difference(n, Cause.IN_FLIGHT) for n in range(1, 5)), a_difference(9))
    causes = [row.cause for row in admin.get(DIFFERENCES).context["counts"]]
    assert [cause in HARMLESS for cause in causes] == [False, True]


def test_has_pages_that_keep_the_filters(admin: Client) -> None:
    checked(*(a_difference(n) for n in range(1, 53)))
    first = admin.get(DIFFERENCES, {"cause": "missed event"})
    onward = first.context["steps"].next
    assert "cause=missed+event" in onward
    second = admin.get(DIFFERENCES + onward)
    assert [row.label for row in second.context["rows"]] == [an_id(2), an_id(1)]
    assert second.context["steps"].next is None


def test_is_counted_on_the_start_page(admin: Client) -> None:
    arrive(a_change("CREATE"))
    checked(a_difference(1), a_difference(2, Cause.IN_FLIGHT))
    tiles = {tile.title: tile for tile in admin.get("/admin/").context["tiles"]}
    assert (tiles["Differences"].figure, tiles["Differences"].link) == ("1", DIFFERENCES)
