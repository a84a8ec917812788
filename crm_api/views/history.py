"""The raw events of one record."""

from datetime import datetime
from typing import Any, ClassVar

import orjson
from django.http import HttpResponse
from django.utils.http import urlencode
from rest_framework.request import Request

from crm_api.errors import UnknownObjectError, UnknownRecordError
from crm_api.openapi import describe_history
from crm_api.parameters import Parameters
from crm_api.responses import json_response, time_text
from crm_api.views.base import ReadEndpoint
from crm_events.backends import event_store
from crm_events.domain.errors import InvalidIdError
from crm_events.domain.events import StoredEvent
from crm_events.domain.identifiers import StreamKey, is_entity_name, normalize_id
from crm_events.entry import command_service
from crm_events.ports.event_store import HistoryOrder, HistoryQuery
from crm_mappings.registry import mapping_for_entity

DEFAULT_LIMIT = 100
MAX_LIMIT = 500
PARAMETERS = ("order", "limit", "cursor", "since", "until")
_ORDERS = {order.value: order for order in HistoryOrder}


class RecordEvents(ReadEndpoint):
    """The events of a record, of a mapped entity or any Salesforce object."""

    entity: ClassVar[str] = ""

    def get(self, request: Request, entity_id: str, entity: str = "") -> HttpResponse:
        """Return a page of the record's events, each as it came."""
        stream = _stream(self.entity or entity, entity_id)
        parameters = self.read_parameters()
        page = command_service().record_events(_query(parameters, stream))
        # An empty page may be the end of a stream, or a time when nothing happened.
        if not page.events and stream not in event_store().heads([stream]):
            raise UnknownRecordError(self.entity or entity, entity_id)
        return json_response(
            {
                "results": [_event(stored) for stored in page.events],
                "next": page.next_cursor and _next_url(request, parameters, page.next_cursor),
            }
        )


def history_view(entity: str) -> type[RecordEvents]:
    """Return the endpoint of the events of one entity's records."""
    return describe_history(type(f"{entity.title()}Events", (RecordEvents,), {"entity": entity}))


def _stream(entity: str, entity_id: str) -> StreamKey:
    mapping = mapping_for_entity(entity)
    if mapping is None and not is_entity_name(entity):
        raise UnknownObjectError(entity)
    try:
        return StreamKey(mapping.source if mapping else entity, normalize_id(entity_id))
    except InvalidIdError as error:
        raise UnknownRecordError(entity, entity_id) from error


def _query(parameters: Parameters, stream: StreamKey) -> HistoryQuery:
    order = parameters.choice("order", _ORDERS, HistoryOrder.FOLD)
    limit = parameters.number("limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
    since, until = parameters.time("since"), parameters.time("until")
    cursor = parameters.take("cursor") or None
    parameters.finish(PARAMETERS)
    return HistoryQuery(
        stream, order=order, since_ms=_epoch_ms(since), until_ms=_epoch_ms(until), limit=limit, cursor=cursor
    )


def _epoch_ms(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)


def _next_url(request: Request, parameters: Parameters, cursor: str) -> str:
    query = urlencode({**parameters.given, "cursor": cursor})
    return f"{request.build_absolute_uri(request.path)}?{query}"


def _event(stored: StoredEvent) -> dict[str, Any]:
    event = stored.event
    return {
        "version": stored.version,
        "event_id": event.event_id,
        "order_key": str(event.order_key),
        "event_type": event.event_type.value,
        "source": event.source.value,
        "late": stored.late,
        "recorded_at": time_text(stored.recorded_at),
        # The text as it came, digits of long numbers and all; it is never decoded on its way.
        "raw": orjson.Fragment(event.raw),
    }
