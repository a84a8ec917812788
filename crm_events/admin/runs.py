"""Runs in the console: what long pieces of work did, and how far they are."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from crm_events.admin.base import ReadOnlyAdmin, choice_filter
from crm_events.admin.states import run_state
from crm_events.models import Run

_STATUSES = [("", "Any state"), *((status.value, status.label) for status in Run.Status)]
# What workers count beside records; the rest of the counts stand as they are.
_PROGRESS = "streams"


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """Rebuilds, replays and whatever else takes long."""

    title = "Runs"
    list_page = "console/runs.html"
    detail_page = "console/run.html"

    def narrowed(self, request: HttpRequest) -> QuerySet[Run]:
        """Filter by status."""
        status = request.GET.get("status")
        rows = Run.objects.defer("log", "parameters", "cursor")
        return rows.filter(status=status) if status in Run.Status.values else rows

    def filters(self, request: HttpRequest) -> list[Mapping[str, Any]]:
        """Offer the statuses."""
        return [choice_filter("status", "State", _STATUSES, request.GET.get("status"))]

    def detail_context(self, request: HttpRequest, row: Run) -> dict[str, Any]:  # noqa: ARG002
        """Add state, progress, counts and parameters."""
        counts = [(name.replace("_", " "), count) for name, count in row.counts.items()]
        parameters = [(name.replace("_", " "), value) for name, value in row.parameters.items()]
        context = {"state": run_state(row), "percent": run_percent(row), "counts": counts, "parameters": parameters}
        return {"title": run_title(row), **context}


def run_title(run: Run) -> str:
    """Return what the run is about, in words."""
    return f"{run.kind.replace('_', ' ').capitalize()} {run.target or 'everything'}"


def run_percent(run: Run) -> int | None:
    """Return how much of the run is done, 0 to 100, or ``None`` while nobody knows how much there is."""
    if run.status == Run.Status.DONE:
        return 100
    if not run.total:
        return None
    done = run.counts.get(_PROGRESS, 0)
    return min(100, int(done) * 100 // run.total)
