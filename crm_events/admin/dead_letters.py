"""Dead letters in the console: what could not be handled, and the two things an operator can do about it."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path

from crm_events.admin.acts import DISCARD, RETRY, Act, perform
from crm_events.admin.base import ReadOnlyAdmin, choice_filter, searched
from crm_events.admin.deliveries import download
from crm_events.admin.json_view import SHOWN_CHARACTERS, pretty_json
from crm_events.admin.states import dead_letter_state
from crm_events.domain.errors import InvalidIdError
from crm_events.domain.identifiers import normalize_id
from crm_events.models import DeadLetter, OperatorAction

_STATES = [("open", "Open"), ("closed", "Closed"), ("all", "Open and closed")]
# Without this the list of causes, read with every page, would cost a walk over all letters there ever were.
_LETTERS_LOOKED_AT = 2_000


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnlyAdmin):
    """Events and records that wait for a decision, and those that were decided."""

    title = "Dead letters"
    list_page = "console/dead_letters.html"
    detail_page = "console/dead_letter.html"

    def more_urls(self) -> list[URLPattern]:
        """Add the two acts and the payload for download."""
        wrap = self.admin_site.admin_view
        return [
            path("retry/", wrap(self.retry_view), name="crm_events_deadletter_retry"),
            path("discard/", wrap(self.discard_view), name="crm_events_deadletter_discard"),
            path("<int:object_id>/payload/", wrap(self.payload_view), name="crm_events_deadletter_payload"),
        ]

    def narrowed(self, request: HttpRequest) -> QuerySet[DeadLetter]:
        """Filter by state, kind, cause, object and record."""
        rows = DeadLetter.objects.defer("payload")
        state = request.GET.get("state") or "open"
        if state != "all":
            rows = rows.filter(resolved_at__isnull=state != "closed")
        for name in ("kind", "code", "entity_name"):
            if value := searched(request, name):
                rows = rows.filter(**{name: value})
        record = searched(request)
        return rows.filter(_of_record(record)) if record else rows

    def filters(self, request: HttpRequest) -> list[Mapping[str, Any]]:
        """Offer states and kinds, and the causes and objects that newer letters have."""
        query = request.GET
        newest = DeadLetter.objects.order_by("-id")[:_LETTERS_LOOKED_AT]
        pairs = set(newest.values_list("code", "entity_name"))
        codes = [("", "Any cause"), *((code, cause_of(code)) for code in sorted({code for code, _ in pairs}))]
        names = [("", "Any object"), *((name, name) for name in sorted({name for _, name in pairs if name}))]
        return [
            choice_filter("state", "State", _STATES, query.get("state"), "open"),
            choice_filter("kind", "Kind", [("", "Any kind"), *DeadLetter.Kind.choices], query.get("kind")),
            choice_filter("code", "Cause", codes, query.get("code")),
            choice_filter("entity_name", "Object", names, query.get("entity_name")),
        ]

    def list_context(self, request: HttpRequest) -> dict[str, Any]:
        """Add what the user may do."""
        return {"acts": [(act, request.user.has_perm(act.permission)) for act in (RETRY, DISCARD)]}

    def detail_context(self, request: HttpRequest, row: DeadLetter) -> dict[str, Any]:
        """Add words, payload, what was done, and what the user may do."""
        fact, _, following = row.detail.partition(" Next: ")
        return {
            "title": cause_of(row.code),
            "fact": fact,
            "following": following,
            "state": dead_letter_state(row),
            "payload": pretty_json(row.payload),
            "payload_is_cut": len(row.payload) > SHOWN_CHARACTERS,
            "acts_done": list(OperatorAction.objects.filter(target=f"dead letter {row.pk}")[:50]),
            **self.list_context(request),
        }

    def retry_view(self, request: HttpRequest) -> HttpResponse:
        """Ask, then retry the chosen letters."""
        return self._act(request, RETRY)

    def discard_view(self, request: HttpRequest) -> HttpResponse:
        """Ask why, then discard the chosen letters."""
        return self._act(request, DISCARD)

    def payload_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Send the payload exactly as it arrived."""
        self.check_view(request)
        row = DeadLetter.objects.filter(pk=object_id).first()
        if row is None or not row.payload:
            raise Http404("No dead letter of this id has a payload.")
        return download(row.payload, f"dead-letter-{row.pk}.json")

    def _act(self, request: HttpRequest, act: Act) -> HttpResponse:
        self.check_view(request)
        return perform(act, request, self.render)


_CAUSES = {
    "not_an_object": "Not a change event",
    "no_header": "No change event header",
    "no_record_id": "Event without a record id",
    "bad_record_id": "Not a Salesforce record id",
    "bad_header_field": "Header field missing or wrong",
    "snapshot_posted": "Reserved change type SNAPSHOT",
    "unknown_change_type": "Unknown change type",
    "raw_bitmaps": "Field bitmaps without their schema",
    "org_not_allowed": "Salesforce org is not on the list",
    "delivery_gave_up": "Delivery failed too often",
    "projection_failed": "Record could not be projected",
    "document_refused": "Document refused by the read model",
}


def cause_of(code: str) -> str:
    """Return the cause in words; a code without words reads as it is written."""
    return _CAUSES.get(code, code.replace("_", " ").capitalize())


def _of_record(text: str) -> Q:
    """Match a record by either form of its id: letters about events keep the form that came."""
    try:
        full = normalize_id(text)
    except InvalidIdError:
        return Q(record=text)
    return Q(record__in=[text, full, full[:15]])
