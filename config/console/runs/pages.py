"""The pages of runs: a list, a page for each run that follows its work, and what an operator asks of it."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from config.console.runs import checks, starting
from config.console.runs.views import run_context, run_row
from config.console.runs.words import kind_words, title_of
from config.console.walks import steps
from crm_events.admin.acts import ReasonForm
from crm_events.admin.base import ReadOnlyAdmin, choice_filter
from crm_events.backends import runs
from crm_events.domain.drift import Check, run_kind
from crm_events.entry import command_service
from crm_events.ports.commands import Steering, SteerRun
from crm_events.ports.runs import RunQuery, RunStatus, RunView, UnknownRunError

START = "crm_events.start_run"
STEER = "crm_events.steer_run"
LIVE_SECONDS = 2
_PAGE_SIZE = 50
_STATUSES = [("", "Any state"), *((status.value, status.value.capitalize()) for status in RunStatus)]
_CHECKS = tuple(run_kind(check) for check in Check)
_KINDS: dict[str, tuple[str, ...]] = {
    **{kind: (kind,) for kind in ("backfill", "replay", "rebuild", "resync", "repair")},
    "checks": _CHECKS,
    **{kind: (kind,) for kind in _CHECKS},
}
_DONE = {
    Steering.PAUSE: "It rests after its present page, and keeps its place.",
    Steering.RESUME: "It goes on from where it was.",
    Steering.CANCEL: "It ends after its present page. What is done stays done.",
}


class RunAdmin(ReadOnlyAdmin):
    """Long pieces of work, read and steered through their port."""

    title = "Runs"

    def more_urls(self) -> list[URLPattern]:
        """Add where backfills and checks are started, and where runs are steered."""
        wrap = self.admin_site.admin_view
        return [
            path("backfill/", wrap(self.backfill_view), name="crm_events_run_backfill"),
            path("check/", wrap(self.check_run_view), name="crm_events_run_check"),
            path("<int:run_id>/<str:steering>/", wrap(self.steer_view), name="crm_events_run_steer"),
        ]

    def get_urls(self) -> list[URLPattern]:
        """Put the page of a run before what is asked of it, whose address would take it for one more wish."""
        first, *more, detail = super().get_urls()
        return [first, detail, *more]

    def list_view(self, request: HttpRequest) -> HttpResponse:
        """Show a page of runs, newest first."""
        self.check_view(request)
        query, now = request.GET.dict(), timezone.now()
        found = runs().find(_run_query(query))
        rows = [run_row(run, now) for run in found[:_PAGE_SIZE]]
        onward = str(rows[-1].run.id) if len(found) > _PAGE_SIZE else None
        context = {
            "title": self.title,
            "rows": rows,
            "query": request.GET,
            "filters": _filters(query),
            "steps": steps(query, query.get("cursor"), onward),
            "live": LIVE_SECONDS if any(row.is_live for row in rows) else 0,
            "may_start": request.user.has_perm(START),
        }
        return self.render(request, "console/runs.html", context)

    def detail_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show one run: how far it is, what it did, what it says."""
        self.check_view(request)
        run, now = _run(object_id), timezone.now()
        context = run_context(run, now)
        context |= {
            "crumbs": [(self.title, reverse("admin:crm_events_run_changelist"))],
            "live": LIVE_SECONDS if context["row"].is_live else 0,
            "may_steer": request.user.has_perm(STEER),
        }
        return self.render(request, "console/run.html", context)

    def steer_view(self, request: HttpRequest, run_id: int, steering: str) -> HttpResponse:
        """Pause or resume at once; ask once more before a run is cancelled."""
        self.check_view(request)
        if steering not in list(Steering):
            raise Http404("Nothing of this name can be asked of a run.")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm(STEER):
            raise PermissionDenied
        run, wish = _run(str(run_id)), Steering(steering)
        form = ReasonForm(request.POST if "confirmed" in request.POST else None, required=False)
        if wish is Steering.CANCEL and not form.is_valid():
            return self._ask_to_cancel(request, run, form)
        _steer(request, run, wish, form.cleaned_data["reason"] if form.is_valid() else "")
        return redirect("admin:crm_events_run_change", run.id)

    def backfill_view(self, request: HttpRequest) -> HttpResponse:
        """Ask which rows, show what reading them takes, then start."""
        self.check_view(request)
        _check_start(request)
        return starting.answer(request, self.render)

    def check_run_view(self, request: HttpRequest) -> HttpResponse:
        """Ask what to compare, then start."""
        self.check_view(request)
        _check_start(request)
        return checks.answer(request, self.render)

    def _ask_to_cancel(self, request: HttpRequest, run: RunView, form: ReasonForm) -> HttpResponse:
        crumbs = [
            (self.title, reverse("admin:crm_events_run_changelist")),
            (title_of(run), reverse("admin:crm_events_run_change", args=[run.id])),
        ]
        context = {"title": "Cancel", "crumbs": crumbs, "form": form, **_cancelling(run)}
        return self.render(request, "console/run_cancel.html", context)


def _cancelling(run: RunView) -> Mapping[str, Any]:
    return {"run": run, "row": run_row(run, timezone.now())}


def _check_start(request: HttpRequest) -> None:
    if not request.user.has_perm(START):
        raise PermissionDenied


def _steer(request: HttpRequest, run: RunView, wish: Steering, reason: str) -> None:
    command = SteerRun(run.id, wish, request.user.get_username(), reason)
    if command_service().steer_run(command, timezone.now()):
        messages.success(request, _DONE[wish])
        return
    status = runs().get(run.id).status.value
    messages.warning(request, f"The run is {status}, so there is nothing to {wish.value}.")


def _run(run_id: str) -> RunView:
    if not (run_id.isascii() and run_id.isdigit()) or len(run_id) > 18:  # noqa: PLR2004  # digits of a row's number
        raise Http404("A run has a number.")
    try:
        return runs().get(int(run_id))
    except UnknownRunError as error:
        raise Http404(f"There is no run {run_id}.") from error


def _run_query(query: Mapping[str, str]) -> RunQuery:
    status, cursor = query.get("status", ""), query.get("cursor", "")
    before = int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) <= 18 else None  # noqa: PLR2004
    return RunQuery(
        kinds=_KINDS.get(query.get("kind", ""), ()),
        statuses=[RunStatus(status)] if status in list(RunStatus) else [],
        limit=_PAGE_SIZE + 1,
        before=before,
    )


def _filters(query: Mapping[str, str]) -> list[Mapping[str, Any]]:
    words = {"checks": "Checks of every kind"}
    kinds = [("", "Any kind"), *((kind, words.get(kind, kind_words(kind))) for kind in _KINDS)]
    return [
        choice_filter("kind", "Kind", kinds, query.get("kind")),
        choice_filter("status", "State", _STATUSES, query.get("status")),
    ]
