from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.http import HttpResponse
from django.utils import timezone

from crm_events.adapters.memory_source import MemoryCrmSource
from crm_events.backends import crm_source, drift_report, runs
from crm_events.domain.drift import Cause, Check, Difference
from crm_events.models import OperatorAction
from crm_events.ports.crm_source import SourceRefusedError, SourceUnavailableError
from crm_events.ports.runs import RunProgress, RunRequest, RunStatus
from tests.builders import an_id
from tests.integration.crm_api.api import Api, a_key, decoded, faults

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> Api:
    return Api(a_key("operate"))


@pytest.fixture
def source(settings: Any) -> Iterator[MemoryCrmSource]:
    settings.CRM_SOURCE = {"BACKEND": "crm_events.adapters.memory_source.MemoryCrmSource", "OPTIONS": {}}
    crm_source.cache_clear()
    found = crm_source()
    assert isinstance(found, MemoryCrmSource)
    found.put("Account", *[{"Id": an_id(n), "Name": f"Client {n}"} for n in (1, 2, 3)])
    yield found
    crm_source.cache_clear()


def post(api: Api, path: str = "runs/", **body: Any) -> HttpResponse:
    response: Any = api.client.post(
        f"/api/v1/{path}", orjson.dumps(body), content_type="application/json", headers=api.headers
    )
    found: HttpResponse = response
    return found


@pytest.mark.usefixtures("source")
class TestStart:
    def test_queues_a_backfill_and_says_where_it_is_watched(self, operator: Api) -> None:
        response = post(operator, kind="backfill", target="client", reason="a new field")
        assert response.status_code == 202
        watched = decoded(operator.follow(response["Location"]))
        assert (watched["kind"], watched["target"], watched["status"]) == ("backfill", "Account", "queued")
        assert watched["reason"] == "a new field"

    def test_keeps_what_was_asked_for(self, operator: Api) -> None:
        parameters = {"since": "2026-10-06T09:20:00+02:00", "mode": "bulk", "dry_run": True, "broadcast": True}
        run = decoded(post(operator, kind="backfill", target="Account", parameters=parameters))
        kept = run["parameters"]
        assert (kept["since"], kept["mode"], kept["dry_run"]) == ("2026-10-06T09:20:00+02:00", "bulk", True)
        assert kept["broadcast"] is False  # a dry run tells nobody

    @pytest.mark.parametrize(
        ("body", "kind", "target"),
        [
            ({"kind": "rebuild", "target": "Account"}, "rebuild", "client"),
            ({"kind": "replay"}, "replay", ""),
            ({"kind": "replay", "target": "client", "parameters": {"dry_run": True}}, "replay", "Account"),
            ({"kind": "check", "target": "client", "parameters": {"check": "ids"}}, "check-ids", "Account"),
            ({"kind": "check", "parameters": {"check": "unfinished", "repair": False}}, "check-unfinished", ""),
        ],
    )
    def test_takes_every_kind_that_people_start(
        self, operator: Api, body: dict[str, Any], kind: str, target: str
    ) -> None:
        run = decoded(post(operator, **body))
        assert (run["kind"], run["target"]) == (kind, target)

    def test_writes_down_who_and_why(self, operator: Api) -> None:
        post(operator, kind="rebuild", target="client", reason="a new field")
        action = OperatorAction.objects.get()
        assert (action.who, action.verb, action.reason) == ("key a caller", "start rebuild", "a new field")

    def test_is_refused_while_the_same_is_under_way(self, operator: Api) -> None:
        post(operator, kind="rebuild", target="client")
        response = post(operator, kind="rebuild", target="client")
        assert response.status_code == 409
        assert "does the same and is queued" in decoded(response)["detail"]

    @pytest.mark.parametrize("scope", ["read", "ingest"])
    def test_needs_the_scope_operate(self, scope: str) -> None:
        assert post(Api(a_key(scope)), kind="replay").status_code == 403


@pytest.mark.usefixtures("source")
class TestFaults:
    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"kind": "nonsense"}, ""),
            ({"kind": "backfill"}, "/target"),
            ({"kind": "backfill", "target": "no such name"}, "/target"),
            ({"kind": "rebuild", "target": "Unmapped__c"}, "/target"),
            ({"kind": "replay", "target": f"client#{an_id(9)}"}, "/target"),
            ({"kind": "check", "parameters": {"check": "ids"}}, "/target"),
            ({"kind": "check", "target": "client", "parameters": {"check": "nonsense"}}, "/parameters/check"),
            ({"kind": "backfill", "target": "client", "parameters": {"since": "yesterday"}}, "/parameters/since"),
            ({"kind": "backfill", "target": "client", "parameters": {"ids": ["x"]}}, "/parameters/ids/0"),
            ({"kind": "backfill", "target": "client", "parameters": {"mood": "bulk"}}, "/parameters/mood"),
        ],
    )
    def test_name_the_place(self, operator: Api, body: dict[str, Any], pointer: str) -> None:
        (fault,) = faults(post(operator, **body))
        assert fault["pointer"] == pointer
        assert fault["detail"]

    def test_name_what_is_allowed(self, operator: Api) -> None:
        (fault,) = faults(post(operator, kind="backfill", target="client", parameters={"mode": "fast"}))
        assert fault["allowed"] == ["auto", "rest", "bulk"]

    def test_of_a_body_that_is_no_json_are_told(self, operator: Api) -> None:
        response = operator.client.post(
            "/api/v1/runs/", b"{", content_type="application/json", headers=operator.headers
        )
        assert response.status_code == 400


class TestWithoutSalesforce:
    @pytest.mark.parametrize(
        "body",
        [
            {"kind": "backfill", "target": "client"},
            {"kind": "check", "target": "client", "parameters": {"check": "windows"}},
        ],
    )
    def test_says_what_to_set_up(self, operator: Api, body: dict[str, Any]) -> None:
        response = post(operator, **body)
        assert response.status_code == 409
        assert "CRM_SOURCE=salesforce" in decoded(response)["detail"]


class TestEstimate:
    def test_says_rows_and_calls_before_anything_starts(self, operator: Api, source: MemoryCrmSource) -> None:
        response = post(operator, "runs/estimate/", kind="backfill", target="client")
        assert decoded(response) == {"rows": 3, "calls": 3, "mode": "rest", "seconds": None}
        assert runs().claimable(["backfill"], timezone.now()) == []
        assert source.calls == ["count"]

    def test_passes_on_what_salesforce_refuses(self, operator: Api, source: MemoryCrmSource) -> None:
        source.fail("count", SourceRefusedError("INVALID_FIELD", "No such column 'Nonsense'"))
        response = post(operator, "runs/estimate/", kind="backfill", target="client")
        assert response.status_code == 400
        assert "No such column 'Nonsense'" in decoded(response)["detail"]

    def test_says_when_salesforce_does_not_answer(self, operator: Api, source: MemoryCrmSource) -> None:
        source.fail("count", SourceUnavailableError("TIMEOUT", "No answer in 10 s"))
        response = post(operator, "runs/estimate/", kind="backfill", target="client")
        assert (response.status_code, response["Retry-After"]) == (503, "5")


def a_run(kind: str = "backfill", target: str = "Account") -> int:
    return runs().create(RunRequest(kind, target, {}, "ada"), timezone.now()).id


class TestWatching:
    def test_tells_rate_and_time_left(self, operator: Api) -> None:
        claimed = runs().claim(a_run(), timezone.now())
        assert claimed is not None
        later = timezone.now() + timedelta(seconds=10)
        runs().advance(claimed, RunProgress(None, {"rows": 500}, total=1_500, log=["Half way."]), later)
        run = decoded(operator.get(f"runs/{claimed.id}/"))
        assert (run["done"], run["total"], run["log"]) == (500, 1_500, ["Half way."])
        assert run["rate"] == pytest.approx(50, rel=0.05)
        assert run["seconds_left"] == pytest.approx(20, abs=1)

    def test_lists_runs_in_pages_newest_first(self, operator: Api) -> None:
        ids = [a_run() for _ in range(3)]
        page = decoded(operator.get("runs/", limit="2"))
        rest = decoded(operator.follow(page["next"]))
        assert [run["id"] for run in page["results"]] == [ids[2], ids[1]]
        assert [run["id"] for run in rest["results"]] == [ids[0]]
        assert rest["next"] is None

    def test_keeps_to_a_kind_and_a_status(self, operator: Api) -> None:
        wanted = a_run("rebuild", "client")
        a_run()
        assert operator.results("runs/", kind="rebuild", status="queued")[0]["id"] == wanted
        assert operator.results("runs/", kind="rebuild", status="done") == []

    @pytest.mark.parametrize("number", ["4711", "x", "1" * 30])
    def test_knows_no_other(self, operator: Api, number: str) -> None:
        assert operator.get(f"runs/{number}/").status_code == 404

    def test_shows_what_a_check_found(self, operator: Api) -> None:
        number = a_run("check-ids")
        found = Difference(Check.IDS, Cause.HARD_DELETE, f"Account#{an_id()}", (), "Gone for good.")
        drift_report().add(number, [found], timezone.now())
        (row,) = operator.results(f"runs/{number}/differences/")
        assert (row["cause"], row["subject"]) == ("hard delete", f"Account#{an_id()}")


class TestSteering:
    def test_pauses_resumes_and_cancels(self, operator: Api) -> None:
        number = a_run()
        for steering, status in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")):
            response = post(operator, f"runs/{number}/{steering}/", reason="as I like")
            assert (response.status_code, decoded(response)["status"]) == (202, status)
        assert [action.verb for action in OperatorAction.objects.order_by("id")] == [
            "pause run",
            "resume run",
            "cancel run",
        ]

    def test_takes_no_body_for_no_reason(self, operator: Api) -> None:
        assert operator.send("POST", f"runs/{a_run()}/pause/").status_code == 202

    def test_of_an_ended_run_is_refused(self, operator: Api) -> None:
        claimed = runs().claim(a_run(), timezone.now())
        assert claimed is not None
        runs().finish(claimed, RunStatus.DONE, timezone.now())
        response = post(operator, f"runs/{claimed.id}/pause/")
        assert response.status_code == 409
        assert "The run is done, so there is nothing to pause." in decoded(response)["detail"]

    def test_needs_the_scope_operate(self) -> None:
        assert post(Api(a_key("read")), f"runs/{a_run()}/cancel/").status_code == 403
