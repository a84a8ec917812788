"""Deliveries in the console: what came, and what became of each of its items."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path

from crm_events import selectors
from crm_events.admin.base import ReadOnlyAdmin, choice_filter, searched
from crm_events.admin.json_view import SHOWN_CHARACTERS, pretty_json
from crm_events.admin.states import PENDING, State, delivery_state, outcome_state
from crm_events.domain.outcomes import Outcome
from crm_events.models import Delivery
from crm_events.ports.event_store import EventStoreUnavailableError

# Outcomes that a page shows; a delivery may hold thousands.
_SHOWN_OUTCOMES = 500
_STATUSES = [("", "Any state"), ("accepted", "Waiting"), ("recorded", "Recorded")]


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """Requests of events as they came."""

    title = "Deliveries"
    list_page = "console/deliveries.html"
    detail_page = "console/delivery.html"

    def more_urls(self) -> list[URLPattern]:
        """Add the body for download."""
        view = self.admin_site.admin_view(self.body_view)
        return [path("<str:object_id>/body/", view, name="crm_events_delivery_body")]

    def narrowed(self, request: HttpRequest) -> QuerySet[Delivery]:
        """Filter by status and by the beginning of an id; bodies and outcomes stay in the database."""
        rows = Delivery.objects.defer("body", "outcomes")
        status, beginning = request.GET.get("status"), searched(request).lower()
        if status in Delivery.Status.values:
            rows = rows.filter(status=status)
        return rows.filter(id__startswith=beginning) if beginning else rows

    def filters(self, request: HttpRequest) -> list[Mapping[str, Any]]:
        """Offer the statuses."""
        return [choice_filter("status", "State", _STATUSES, request.GET.get("status"))]

    def detail_context(self, request: HttpRequest, row: Delivery) -> dict[str, Any]:  # noqa: ARG002
        """Add outcomes, state and body."""
        outcomes, state, trouble = _progress(row)
        return {
            "title": f"Delivery {row.pk}",
            "state": state,
            "trouble": trouble,
            "outcomes": [(outcome, outcome_state(outcome.outcome)) for outcome in outcomes[:_SHOWN_OUTCOMES]],
            "outcome_total": len(outcomes),
            "body": pretty_json(row.body),
            "body_is_cut": len(row.body) > SHOWN_CHARACTERS,
            "body_bytes": len(row.body.encode()),
        }

    def body_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Send the body exactly as it was accepted."""
        self.check_view(request)
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404("No delivery has this id.")
        return download(row.body, f"delivery-{row.pk}.json")


def download(text: str, name: str) -> HttpResponse:
    """Return a JSON text as a file, byte for byte."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(text.encode(), content_type="application/json", headers=headers)


def _progress(row: Delivery) -> tuple[Sequence[Outcome], State, str]:
    """Return outcomes and state; where the log does not answer, what the row alone knows, and a word about it."""
    try:
        status = selectors.delivery_status(row.pk)
    except EventStoreUnavailableError:
        return [Outcome(*each) for each in row.outcomes], delivery_state(row), "The event store does not answer."
    if status is None:
        raise Http404("The delivery was removed this moment; its events are kept.")
    if status.status == "projected":
        return status.outcomes, State("ok", "check_circle", "Served"), ""
    return status.outcomes, PENDING if status.status == "recorded" else delivery_state(row), ""
