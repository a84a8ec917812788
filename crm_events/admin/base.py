"""What the console's pages of operational rows share: a list in keyset pages and a page of one row, both read-only."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.admin import ModelAdmin

from crm_events.admin.keyset import row_page


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    """Rows that nobody adds, changes or deletes here; there are not even addresses to do so."""

    keyset: ClassVar[Sequence[str]] = ("id",)
    title: ClassVar[str]
    list_page: ClassVar[str]
    detail_page: ClassVar[str]

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """Rows come from the service alone."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """Rows say what happened."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """As above."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses of the list, of what a page adds, and of one row."""
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            path("", self.admin_site.admin_view(self.list_view), name=f"{name}_changelist"),
            *self.more_urls(),
            path("<str:object_id>/change/", self.admin_site.admin_view(self.detail_view), name=f"{name}_change"),
        ]

    def more_urls(self) -> list[URLPattern]:
        """Return the addresses that a page has beside its list and its rows."""
        return []

    def list_view(self, request: HttpRequest) -> HttpResponse:
        """Show a page of rows."""
        self.check_view(request)
        page = row_page(self.narrowed(request), self.keyset, request.GET)
        context = {"page": page, "query": request.GET, "filters": self.filters(request), **self.list_context(request)}
        return self.render(request, self.list_page, {"title": self.title, **context})

    def detail_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show one row."""
        self.check_view(request)
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404(f"No {self.opts.verbose_name} has the id {object_id[:80]}.")
        crumbs = [(self.title, reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))]
        context = {"row": row, "crumbs": crumbs, "title": str(row), **self.detail_context(request, row)}
        return self.render(request, self.detail_page, context)

    def narrowed(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows that the query string asks for."""
        rows: QuerySet[Any] = self.get_queryset(request)
        return rows

    def filters(self, request: HttpRequest) -> list[Mapping[str, Any]]:  # noqa: ARG002
        """Return the filters of the list: name, label, chosen value, choices."""
        return []

    def list_context(self, request: HttpRequest) -> dict[str, Any]:  # noqa: ARG002
        """Return what the list's page needs beside its rows."""
        return {}

    def detail_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:  # noqa: ARG002
        """Return what a row's page needs beside the row."""
        return {}

    def check_view(self, request: HttpRequest) -> None:
        """Refuse whoever may not see these rows.

        :raises PermissionDenied: the user has no right to.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied

    def render(self, request: HttpRequest, template: str, context: Mapping[str, Any]) -> TemplateResponse:
        """Return a page inside the console's frame."""
        frame = self.admin_site.each_context(request)
        return TemplateResponse(request, template, {**frame, "now": timezone.now(), **context})


def choice_filter(
    name: str, label: str, choices: Sequence[tuple[str, str]], chosen: str | None, default: str = ""
) -> dict[str, Any]:
    """Return one filter for the list's page; a value that is no choice reads as the default."""
    known = {value for value, _ in choices}
    return {"name": name, "label": label, "chosen": chosen if chosen in known else default, "choices": choices}


def searched(request: HttpRequest, name: str = "q") -> str:
    """Return what somebody searches for, without the character that PostgreSQL takes in no text."""
    return request.GET.get(name, "").replace("\x00", "").strip()
