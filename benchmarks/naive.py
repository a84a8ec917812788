"""What the service replaces, as a yardstick: one event at a time, its whole stream replayed, on the same tables."""

import json
from collections.abc import Sequence
from typing import Any

from benchmarks.service import now
from crm_events.backends import event_store
from crm_events.cdc import parse_item, split_body
from crm_events.domain.heads import Watermark
from crm_events.ports.event_store import ReadRequest, StreamAppend
from crm_events.record import EMPTY, fold
from crm_mappings.registry import mapping_for_source
from crm_projections.backends import broadcaster, read_model
from crm_projections.ports.broadcaster import Message
from crm_projections.ports.read_model import Document
from crm_projections.services.documents import map_state


class NaivePipeline:
    """Append, read the whole stream, fold it, map, index, send: for every single event."""

    def handle_all(self, changes: Sequence[dict[str, Any]]) -> None:
        """Bring changes all the way, one after the other."""
        for change in changes:
            self.handle(change)

    def handle(self, change: dict[str, Any]) -> None:
        """Bring one change all the way."""
        (item,) = split_body(json.dumps(change).encode())
        (event,) = parse_item(item, "naive", 0).events
        (result,) = event_store().append([StreamAppend(event.stream, [event])], now())
        version = result.appended[0].version
        events = event_store().read([ReadRequest(event.stream)])[event.stream]
        state = EMPTY
        for stored in events:
            state = fold(state, stored.event)
        mapping = mapping_for_source(event.stream.entity_name)
        if mapping is None:
            raise LookupError(event.stream.entity_name)
        mapped = map_state(mapping, event.stream, state)
        document = Document(
            id=event.stream.entity_id,
            version=version,
            order_key=str(event.order_key),
            complete=state.complete,
            mapping=mapping.fingerprint,
            projected_at=now(),
            values=mapped.values,
        )
        generation = read_model().ensure_serving(mapping.schema, mapping.fingerprint, now())
        read_model().save_many(generation, [document])
        detail = {"stream": str(event.stream), "version": version, "data": {"values": dict(mapped.values)}}
        broadcaster().publish([Message(f"{event.stream}/{version}", mapping.entity, detail)])
        event_store().move_watermarks([Watermark(event.stream, version, version, dirty=state.is_dirty)])
