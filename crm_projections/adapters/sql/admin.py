"""The outbox log in the console: what was broadcast, newest first; nobody changes it there."""

from typing import ClassVar

import orjson
from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator

from crm_projections.adapters.sql.models import OutboxMessage


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ModelAdmin):  # type: ignore[misc]
    """Messages by stream or message id; the log grows without end, so nothing is counted."""

    list_display: ClassVar[tuple[str, ...]] = ("message_id", "entity", "stream", "created_at")
    fields: ClassVar[tuple[str, ...]] = ("message_id", "entity", "stream", "created_at", "indented_detail")
    readonly_fields = fields
    # Exact, so that an index answers.
    search_fields: ClassVar[tuple[str, ...]] = ("=stream", "=message_id")
    search_help_text = "A whole stream (Account#001…) or message id"
    ordering: ClassVar[tuple[str, ...]] = ("-id",)
    sortable_by: ClassVar[tuple[str, ...]] = ()
    paginator = InfinitePaginator
    show_full_result_count = False
    list_per_page = 50

    @admin.display(description="Detail")
    def indented_detail(self, message: OutboxMessage) -> str:
        """Return the message's body, indented."""
        return orjson.dumps(orjson.loads(message.detail), option=orjson.OPT_INDENT_2).decode()

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Messages come from the projector alone."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: OutboxMessage | None = None) -> bool:  # noqa: ARG002
        """Messages stay as they were sent."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: OutboxMessage | None = None) -> bool:  # noqa: ARG002
        """As above."""
        return False
