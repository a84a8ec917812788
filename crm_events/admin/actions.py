"""Operator actions in the console: who did what, when and why."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from crm_events.admin.base import ReadOnlyAdmin, searched
from crm_events.models import OperatorAction

_MOST_WORDS = 5


@admin.register(OperatorAction)
class OperatorActionAdmin(ReadOnlyAdmin):
    """The audit: rows are only ever added."""

    title = "Audit"
    list_page = "console/audit.html"
    detail_page = "console/action.html"

    def narrowed(self, request: HttpRequest) -> QuerySet[OperatorAction]:
        """Search in names, targets and reasons."""
        words = searched(request).split()[:_MOST_WORDS]
        rows = OperatorAction.objects.all()
        for word in words:
            rows = rows.filter(
                Q(who__icontains=word) | Q(verb__icontains=word) | Q(target__icontains=word) | Q(reason__icontains=word)
            )
        return rows

    def detail_context(self, request: HttpRequest, row: OperatorAction) -> dict[str, Any]:  # noqa: ARG002
        """Add the facts."""
        return {"title": f"{row.verb} {row.target}", "facts": list(row.facts.items())}
