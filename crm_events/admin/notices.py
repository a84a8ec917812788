"""Notices in the console: what Salesforce said about whole objects."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from crm_events.admin.base import ReadOnlyAdmin, choice_filter
from crm_events.admin.json_view import SHOWN_CHARACTERS, pretty_json
from crm_events.models import Notice

_STATES = [("", "Open and answered"), ("open", "Open"), ("answered", "Answered")]
_REASONS = {
    "overflow": "One transaction changed so many records that Salesforce left out their values.",
    "wildcard": "A field changed its type, and with it every record of the object; no values came.",
}


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    """Messages that ask for an object to be read again."""

    title = "Notices"
    keyset = ("received_at", "id")
    list_page = "console/notices.html"
    detail_page = "console/notice.html"

    def narrowed(self, request: HttpRequest) -> QuerySet[Notice]:
        """Filter by whether they were answered."""
        state = request.GET.get("state")
        rows = Notice.objects.defer("raw")
        return rows.filter(resolved_at__isnull=state == "open") if state in ("open", "answered") else rows

    def filters(self, request: HttpRequest) -> list[Mapping[str, Any]]:
        """Offer the states."""
        return [choice_filter("state", "State", _STATES, request.GET.get("state"))]

    def detail_context(self, request: HttpRequest, row: Notice) -> dict[str, Any]:  # noqa: ARG002
        """Add meaning and raw text."""
        return {
            "title": f"Notice about {row.entity_name}",
            "meaning": notice_meaning(row),
            "raw": pretty_json(row.raw),
            "raw_is_cut": len(row.raw) > SHOWN_CHARACTERS,
        }


def notice_meaning(notice: Notice) -> str:
    """Return what is so, in a sentence."""
    return _REASONS.get(notice.reason, f"Salesforce sent a notice ({notice.reason}).")
