"""Taking events in, and telling what became of them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from rest_framework.request import Request

from crm_api.body import check_content_type, read_body
from crm_api.errors import UnknownDeliveryError
from crm_api.openapi import describe_deliveries, describe_events
from crm_api.responses import json_response, time_text
from crm_api.views.base import Endpoint
from crm_api.waiting import MAX_WAIT_SECONDS, waiters
from crm_events.entry import command_service
from crm_events.ports.commands import AcceptEvents
from crm_events.selectors import DeliveryStatus, delivery_status

_DELIVERY_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


@describe_events
class Events(Endpoint):
    """Where events are posted."""

    scopes: ClassVar[Mapping[str, Sequence[str]]] = {"POST": ["ingest"]}

    def post(self, request: Request) -> HttpResponse:
        """Store a delivery; 202 means it is stored."""
        self.read_parameters().finish([])
        check_content_type(request)
        body = read_body(request, settings.CRM_MAX_BODY_BYTES)
        accepted = command_service().accept_events(AcceptEvents(body, self.key.name), timezone.now())
        location = request.build_absolute_uri(reverse("delivery", args=[accepted.id]))
        payload = {"delivery": accepted.id, "received": accepted.received}
        return json_response(payload, status=202, headers={"Location": location})


@describe_deliveries
class Delivery(Endpoint):
    """What became of a delivery."""

    scopes: ClassVar[Mapping[str, Sequence[str]]] = {"GET": ["ingest", "read"]}

    def get(self, request: Request, delivery_id: str) -> HttpResponse:  # noqa: ARG002  # the framework's signature
        """Return a delivery's status, after waiting for it if asked."""
        parameters = self.read_parameters()
        seconds = parameters.number("wait", 0, 0, MAX_WAIT_SECONDS)
        parameters.finish(["wait"])
        # Nothing else can be a delivery's id, and not every database takes every text.
        if not _DELIVERY_ID.fullmatch(delivery_id):
            raise UnknownDeliveryError(delivery_id)
        status = waiters().wait(lambda: delivery_status(delivery_id), seconds)
        if status is None:
            raise UnknownDeliveryError(delivery_id)
        return json_response(_payload(status))


def _payload(status: DeliveryStatus) -> dict[str, Any]:
    return {
        "id": status.id,
        "status": status.status,
        "received": status.received,
        "received_at": time_text(status.received_at),
        "outcomes": [
            {
                "index": outcome.index,
                "outcome": outcome.outcome,
                "entity": outcome.entity,
                "entity_id": outcome.entity_id,
                "version": outcome.version,
                "detail": outcome.detail,
            }
            for outcome in status.outcomes
        ],
    }
