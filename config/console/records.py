"""Records and documents in the console: lists, a search by id or by words, and a page for each record."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import urlencode

from config.console.documents import document_list
from config.console.record import event_of, record_context, stored_event
from config.console.rows import bare_row, record_rows
from config.console.trouble import NO_READ_MODEL, NO_STORE
from config.console.walks import steps
from crm_events.admin.base import ReadOnlyAdmin
from crm_events.admin.deliveries import download
from crm_events.backends import event_store
from crm_events.domain.errors import InvalidIdError
from crm_events.domain.heads import Head
from crm_events.domain.identifiers import StreamKey, is_entity_name, normalize_id
from crm_events.entry import dead_letter_desk
from crm_events.ports.event_store import EventStoreUnavailableError, InvalidCursorError, StreamFlag, StreamPage
from crm_events.services.actions import Operator
from crm_mappings.registry import mapping_for_source
from crm_projections.ports.read_model import ReadModelUnavailableError

_PAGE_SIZE = 50
# The longest waiting come first, so a page without a Next is enough to see what is the matter.
_PENDING_SHOWN = 200
_FLAGS = {"blocked": StreamFlag.BLOCKED, "reread": StreamFlag.DIRTY}
_STATES = [("pending", "Pending"), ("blocked", "Blocked"), ("reread", "Needs re-read")]


class RecordAdmin(ReadOnlyAdmin):
    """Records, read through the ports alone: whichever engines keep them."""

    title = "Records"

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses of lists, records and single events."""
        wrap = self.admin_site.admin_view
        page, event = "<str:entity_name>/<str:entity_id>/", "events/<int:commit_ms>/<int:version>/"
        return [
            path("", wrap(self.list_view), name="crm_events_record_changelist"),
            path("documents/", wrap(self.documents_view), name="crm_events_record_documents"),
            path(page, wrap(self.record_view), name="crm_events_record_page"),
            path(page + "release/", wrap(self.release_view), name="crm_events_record_release"),
            path(page + event, wrap(self.event_view), name="crm_events_record_event"),
            path(page + event + "raw/", wrap(self.raw_view), name="crm_events_record_raw"),
        ]

    def list_view(self, request: HttpRequest) -> HttpResponse:
        """Show a page of records, or lead to the one that was asked for."""
        self.check_view(request)
        query = request.GET
        wanted = query.get("q", "").strip()
        try:
            if wanted:
                return self._find(request, wanted)
            names = event_store().entity_names()
            state, name = query.get("state", ""), query.get("entity", "")
            name = name if name in names else next(iter(names), "")
            context = self._page_of(request, "" if state in dict(_STATES) else name, state)
        except EventStoreUnavailableError:
            return self._unavailable(request, self.title)
        tabs = [(each, _entity_of(each)) for each in names]
        context |= {"tabs": tabs, "chosen": name, "state": state, "states": _STATES}
        return self.render(request, "console/records.html", {"title": self.title, **context})

    def documents_view(self, request: HttpRequest) -> HttpResponse:
        """Show a page of documents as they are served."""
        self.check_view(request)
        context = {"title": "Documents", **document_list(request.GET.dict())}
        return self.render(request, "console/documents.html", context)

    def record_view(self, request: HttpRequest, entity_name: str, entity_id: str) -> HttpResponse:
        """Show one record: how fresh it is, what happened, and what is served."""
        self.check_view(request)
        stream = _stream(entity_name, entity_id)
        if stream.entity_id != entity_id:
            return redirect("admin:crm_events_record_page", *stream)
        try:
            context = record_context(stream, request.GET.dict())
        except EventStoreUnavailableError:
            return self._unavailable(request, str(stream))
        context["may_retry"] = request.user.has_perm("crm_events.retry_deadletter")
        return self.render(request, "console/record.html", context)

    def event_view(
        self, request: HttpRequest, entity_name: str, entity_id: str, commit_ms: int, version: int
    ) -> HttpResponse:
        """Show one event as it came."""
        self.check_view(request)
        stream = _stream(entity_name, entity_id)
        try:
            context = event_of(stream, commit_ms, version)
        except EventStoreUnavailableError:
            return self._unavailable(request, str(stream))
        return self.render(request, "console/event.html", context)

    def raw_view(
        self, request: HttpRequest, entity_name: str, entity_id: str, commit_ms: int, version: int
    ) -> HttpResponse:
        """Send one event exactly as it came."""
        self.check_view(request)
        stream = _stream(entity_name, entity_id)
        try:
            event = stored_event(stream, commit_ms, version)
        except EventStoreUnavailableError:
            return self._unavailable(request, str(stream))
        return download(event.event.raw, f"{stream.entity_name}-{stream.entity_id}-v{version}.json")

    def release_view(self, request: HttpRequest, entity_name: str, entity_id: str) -> HttpResponse:
        """Let a blocked record be projected again."""
        self.check_view(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm("crm_events.retry_deadletter"):
            raise PermissionDenied
        stream = _stream(entity_name, entity_id)
        try:
            dead_letter_desk().release(stream, Operator(request.user.get_username()), timezone.now())
        except EventStoreUnavailableError:
            return self._unavailable(request, str(stream))
        messages.success(request, "The record is projected again. If that fails, a new dead letter says why.")
        return redirect("admin:crm_events_record_page", *stream)

    def _page_of(self, request: HttpRequest, name: str, state: str) -> dict[str, Any]:
        query = request.GET.dict()
        cursor = query.get("cursor") or None
        try:
            page = _heads(name, state, cursor)
        except InvalidCursorError:
            page, cursor = _heads(name, state, None), None
        return {**_rows(page.heads), "steps": steps(query, cursor, page.next_cursor)}

    def _find(self, request: HttpRequest, wanted: str) -> HttpResponse:
        try:
            heads = _heads_of(wanted)
        except InvalidIdError:
            return redirect(f"{reverse('admin:crm_events_record_documents')}?{urlencode({'q': wanted})}")
        if len(heads) == 1:
            return redirect("admin:crm_events_record_page", *heads[0].stream)
        context = {"title": self.title, "wanted": wanted, "states": _STATES, **_rows(heads)}
        return self.render(request, "console/records.html", context)

    def _unavailable(self, request: HttpRequest, title: str) -> HttpResponse:
        response = self.render(request, "console/unavailable.html", {"title": title, "trouble": NO_STORE})
        response.status_code = 503
        return response


def _stream(entity_name: str, entity_id: str) -> StreamKey:
    try:
        entity_id = normalize_id(entity_id)
    except InvalidIdError as error:
        raise Http404(str(error)) from error
    if not is_entity_name(entity_name):
        raise Http404("No Salesforce object has such a name.")
    return StreamKey(entity_name, entity_id)


def _heads(name: str, state: str, cursor: str | None) -> StreamPage:
    store = event_store()
    if state == "pending":
        return StreamPage(store.pending_streams(_PENDING_SHOWN), None)
    if state in _FLAGS:
        return store.flagged_streams(_FLAGS[state], _PAGE_SIZE, cursor)
    return store.list_streams(name, _PAGE_SIZE, cursor) if name else StreamPage((), None)


def _heads_of(wanted: str) -> list[Head]:
    """Return the heads that an id stands for: the same id could belong to streams of several objects.

    :raises InvalidIdError: the text is neither an id nor an object with an id.
    """
    if "#" in wanted:
        keys = [StreamKey.parse(wanted)]
    else:
        record_id = normalize_id(wanted)
        keys = [StreamKey(name, record_id) for name in event_store().entity_names()]
    return list(event_store().heads(keys).values())


def _rows(heads: Sequence[Head]) -> dict[str, Any]:
    try:
        return {"rows": record_rows(heads)}
    except ReadModelUnavailableError:
        return {"rows": [bare_row(head) for head in heads], "trouble": NO_READ_MODEL}


def _entity_of(name: str) -> str:
    mapping = mapping_for_source(name)
    return mapping.entity if mapping else ""
