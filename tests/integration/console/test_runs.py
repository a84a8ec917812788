from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from crm_events.backends import runs
from crm_events.domain.drift import Check, run_kind
from crm_events.models import OperatorAction, Run
from crm_events.ports.runs import RunProgress, RunRequest, RunStatus, RunView
from tests.integration.console.pages import NOW, text_of

pytestmark = pytest.mark.django_db
RUNS = "/admin/crm_events/run/"
TITLES = {
    "backfill": "Backfill Account",
    "replay": "Replay Account",
    "rebuild": "Rebuild Account",
    "resync": "Resync Account",
    "repair": "Gap repair Account",
    run_kind(Check.UNFINISHED): "Check of unfinished work of Account",
    run_kind(Check.WINDOWS): "Check of changes of Account",
    run_kind(Check.IDS): "Check of all ids of Account",
    run_kind(Check.SAMPLE): "Check of a sample of Account",
    run_kind(Check.DOCUMENTS): "Check of documents of Account",
    run_kind(Check.BROADCASTS): "Check of broadcasts of Account",
}


def queued(kind: str = "backfill", target: str = "Account", now: datetime = NOW, **parameters: Any) -> RunView:
    return runs().create(RunRequest(kind, target, parameters, "mara", "New mapping."), now)


def running(now: datetime | None = None, **counts: int) -> RunView:
    """Return a run at work for the last ten seconds, a quarter of whose 120 rows is read."""
    now = now or timezone.now()
    claimed = runs().claim(queued(now=now - timedelta(minutes=5)).id, now - timedelta(seconds=10))
    assert claimed is not None
    return runs().advance(claimed, RunProgress(None, {"rows": 30, **counts}, 120, ("One was refused.",)), now)


def page_of(client: Client, run: RunView) -> str:
    return text_of(client, f"{RUNS}{run.id}/change/")


def steer(client: Client, run: RunView, steering: str, **sent: str) -> Any:
    return client.post(f"{RUNS}{run.id}/{steering}/", sent)


class TestList:
    def test_without_runs_says_what_to_do(self, admin: Client) -> None:
        page = text_of(admin, RUNS)
        assert "cm-empty" in page
        assert f'href="{RUNS}backfill/"' in page

    @pytest.mark.parametrize("kind", TITLES)
    def test_names_every_kind_in_words(self, admin: Client, kind: str) -> None:
        queued(kind)
        (row,) = admin.get(RUNS).context["rows"]
        assert row.title == TITLES[kind]
        assert TITLES[kind] in text_of(admin, RUNS)

    def test_names_what_has_no_object(self, admin: Client) -> None:
        queued("replay", "")
        queued("repair", "")
        assert [row.title for row in admin.get(RUNS).context["rows"]] == ["Gap repair", "Replay everything"]

    @pytest.mark.parametrize("status", [status.value for status in RunStatus])
    def test_has_a_word_for_every_state(self, admin: Client, status: str) -> None:
        Run.objects.create(
            kind="rebuild",
            target="client",
            started_by="mara",
            created_at=NOW,
            status=status,
            heartbeat_at=timezone.now(),
        )
        assert status.capitalize() in text_of(admin, RUNS, status=status).partition("<tbody>")[2]

    def test_shows_progress_rate_and_time_left(self, admin: Client) -> None:
        running()
        (row,) = admin.get(RUNS).context["rows"]
        assert (row.percent, row.done, row.rate, row.seconds_left) == (25, 30, 3.0, 30.0)

    def test_is_filtered_by_kind_and_state(self, admin: Client) -> None:
        queued("check-ids")
        queued("check-sample")
        queued()
        assert len(admin.get(RUNS, {"kind": "checks"}).context["rows"]) == 2
        assert len(admin.get(RUNS, {"kind": "backfill", "status": "queued"}).context["rows"]) == 1
        assert len(admin.get(RUNS, {"kind": "backfill", "status": "done"}).context["rows"]) == 0
        assert len(admin.get(RUNS, {"kind": "nonsense", "status": "nonsense"}).context["rows"]) == 3

    def test_has_pages(self, admin: Client) -> None:
        made = [queued().id for _ in range(51)]
        first = admin.get(RUNS)
        second = admin.get(f"{RUNS}{first.context['steps'].next}")
        assert [row.run.id for row in second.context["rows"]] == made[:1]
        assert second.context["steps"].next is None
        assert second.context["steps"].back is not None

    def test_costs_the_same_however_many_runs_there_are(
        self, admin: Client, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(5):
            queued()
        with django_assert_max_num_queries(7):
            admin.get(RUNS)

    def test_follows_runs_until_all_have_ended(self, admin: Client) -> None:
        run = running()
        assert 'data-live="2"' in text_of(admin, RUNS)
        runs().finish(run, RunStatus.DONE, timezone.now())
        assert 'data-live="0"' in text_of(admin, RUNS)


class TestPage:
    def test_says_who_why_and_what_was_asked(self, admin: Client) -> None:
        run = queued(since="2026-10-01T00:00:00+00:00", where="Industry = 'Shipping'", dry_run=True, broadcast=False)
        page = page_of(admin, run)
        for words in ("Backfill Account", "mara", "New mapping.", "2026-10-01", "Shipping", "Dry run"):
            assert words in page
        assert "<dt>Broadcast</dt>" not in page

    def test_shows_progress_and_log(self, admin: Client) -> None:
        page = page_of(admin, running(calls=4))
        for words in (
            "25 %",
            "<b>30</b> of 120 rows",
            "3.0/s",
            "left, until about",
            "One was refused.",
            "Calls of Sal",
        ):
            assert words in page

    def test_shows_the_error_with_the_next_step(self, admin: Client) -> None:
        run = runs().finish(running(), RunStatus.FAILED, timezone.now(), "The log went away. Next: start it again.")
        page = page_of(admin, run)
        assert "<strong>The log went away.</strong> <b>Next:</b> start it again." in page
        assert 'data-live="0"' in page

    def test_says_until_when_a_run_rests_and_why(self, admin: Client) -> None:
        run, until = running(), timezone.now() + timedelta(hours=1)
        runs().release(run, timezone.now(), until)
        page = page_of(admin, run)
        assert "Resting" in page
        assert f'It rests until <time class="cm-ago" tabindex="0" datetime="{until.isoformat()}"' in page
        assert "One was refused." in page

    def test_says_that_the_worker_fell_silent(self, admin: Client) -> None:
        assert "No sign of life" in page_of(admin, running(timezone.now() - timedelta(minutes=5)))

    def test_sums_up_what_was_done(self, admin: Client) -> None:
        run = runs().finish(running(recorded=12), RunStatus.DONE, timezone.now())
        assert "30 rows read in 10 s; 12 records were brought up to date." in page_of(admin, run)

    def test_leads_from_a_check_to_its_differences(self, admin: Client) -> None:
        claimed = runs().claim(queued("check-ids").id, NOW)
        assert claimed is not None
        run = runs().finish(claimed, RunStatus.DONE, NOW)
        assert f'href="/admin/crm_events/drift/?run={run.id}"' in page_of(admin, run)

    @pytest.mark.parametrize("number", ["999999", "nonsense", "9" * 40, "١"])
    def test_of_no_run_is_not_found(self, admin: Client, number: str) -> None:
        assert admin.get(f"{RUNS}{number}/change/").status_code == 404


class TestSteering:
    def test_pauses_and_resumes(self, admin: Client) -> None:
        run = queued()
        assert steer(admin, run, "pause")["Location"] == f"{RUNS}{run.id}/change/"
        assert runs().get(run.id).status is RunStatus.PAUSED
        assert "Resume" in page_of(admin, run)
        steer(admin, run, "resume")
        assert runs().get(run.id).status is RunStatus.QUEUED

    def test_asks_a_run_at_work_to_pause_after_its_page(self, admin: Client) -> None:
        run = running()
        steer(admin, run, "pause")
        page = page_of(admin, run)
        assert "Pausing" in page
        assert "Somebody asked it to rest." in page

    def test_asks_once_more_before_it_cancels(self, admin: Client) -> None:
        run = running()
        question = steer(admin, run, "cancel")
        assert question.status_code == 200
        assert "30 of 120" in question.content.decode()
        assert not runs().get(run.id).cancel_requested
        steer(admin, run, "cancel", confirmed="yes", reason="Wrong object.")
        assert "Cancelling" in page_of(admin, run)

    def test_is_in_the_audit(self, admin: Client) -> None:
        run = queued()
        steer(admin, run, "pause")
        steer(admin, run, "cancel", confirmed="yes", reason="Wrong object.")
        done = list(OperatorAction.objects.order_by("id").values_list("who", "verb", "target", "reason"))
        assert done == [
            ("mara", "pause run", "backfill Account", ""),
            ("mara", "cancel run", "backfill Account", "Wrong object."),
        ]

    def test_of_a_run_that_ended_does_nothing_and_says_so(self, admin: Client) -> None:
        run = runs().finish(running(), RunStatus.DONE, timezone.now())
        answer = admin.post(f"{RUNS}{run.id}/pause/", follow=True)
        assert "The run is done, so there is nothing to pause." in answer.content.decode()
        assert not OperatorAction.objects.exists()

    def test_of_other_kinds_is_not_found(self, admin: Client) -> None:
        assert steer(admin, queued(), "explode").status_code == 404
