"""Promises 2 and 4: the same events in any order, repetition and cut give the same documents; so does a rebuild."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_events.domain.events import EventSource, NewEvent
from crm_projections.services.documents import document_of
from crm_projections.services.walking import StreamWalker
from tests.builders import TIMESTAMP, a_confirmed_deletion, a_new_event, a_snapshot, a_stream
from tests.world import NOW, World

STREAMS = [a_stream(1), a_stream(2), a_stream(1, "Contact")]
TEXTS = st.sampled_from(["Lindqvist", "Visby", "", "Å b", None])
FIELDS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "Account": {
        "Name": TEXTS,
        "Phone": TEXTS,
        "Business_Type__c": st.sampled_from(["A;B", "B", None]),
        "BillingAddress": st.fixed_dictionaries({}, optional={"City": TEXTS, "Country": TEXTS}),
    },
    "Contact": {
        "Email": TEXTS,
        "Name": st.fixed_dictionaries({}, optional={"FirstName": TEXTS, "LastName": TEXTS}),
    },
}
PLAIN = ["DELETE", "GAP_UPDATE", "GAP_DELETE", "GAP_CREATE"]


@st.composite
def events(draw: st.DrawFn) -> NewEvent:
    stream = draw(st.sampled_from(STREAMS))
    # Few distinct seconds and numbers, so that order keys often tie in part.
    timestamp = TIMESTAMP + draw(st.integers(0, 4)) * 1000
    kind = draw(st.sampled_from(["CREATE", "UPDATE", "UPDATE", "UPDATE", "UNDELETE", "SNAPSHOT", "GONE", *PLAIN]))
    if kind == "SNAPSHOT":
        row = draw(st.fixed_dictionaries({}, optional={"Phone": TEXTS, "Email": TEXTS, "IsDeleted": st.booleans()}))
        source = draw(st.sampled_from([EventSource.BACKFILL, EventSource.GAP_REPAIR]))
        return a_snapshot(row, stream=stream, read_start=timestamp, full=draw(st.booleans()), source=source)
    if kind == "GONE":
        return a_confirmed_deletion(stream=stream, read_start=timestamp)
    fields = draw(st.fixed_dictionaries({}, optional=FIELDS[stream.entity_name])) if kind not in PLAIN else {}
    return a_new_event(kind, fields, stream=stream, timestamp=timestamp, sequence=draw(st.integers(1, 3)))


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[NewEvent], list[list[NewEvent]]]:
    """Return distinct events in fold order, and the same disordered, repeated, and cut into deliveries."""
    drawn = {event.position: event for event in draw(st.lists(events(), min_size=1, max_size=14))}
    ordered = [drawn[position] for position in sorted(drawn)]
    repeated = ordered + draw(st.lists(st.sampled_from(ordered), max_size=6))
    shuffled = draw(st.permutations(repeated))
    cuts = sorted(draw(st.lists(st.integers(0, len(shuffled)), max_size=5)))
    bounds = [0, *cuts, len(shuffled)]
    parts = [shuffled[a:b] for a, b in pairwise(bounds)]
    return ordered, [[_in_delivery(e, n, i) for i, e in enumerate(part)] for n, part in enumerate(parts)]


def _in_delivery(event: NewEvent, delivery: int, index: int) -> NewEvent:
    return replace(event, delivery_id=f"delivery-{delivery}", delivery_index=index)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.integers(1, 4))
def test_any_order_repetition_and_cut_end_in_the_same_documents(
    history: tuple[list[NewEvent], list[list[NewEvent]]], saved_state_every: int
) -> None:
    ordered, deliveries = history
    straight, disordered = World(), World(saved_state_every=saved_state_every)
    straight.happen(*ordered)
    for delivery in deliveries:
        disordered.happen(*delivery)
    assert disordered.documents() == straight.documents()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_a_fold_from_raw_events_alone_equals_the_live_documents(
    history: tuple[list[NewEvent], list[list[NewEvent]]],
) -> None:
    world = World(saved_state_every=1)
    for delivery in history[1]:
        world.happen(*delivery)
    assert _rebuilt(world) == {key.split("/")[-1]: values for key, values in world.documents().items()}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_the_last_message_of_each_record_tells_what_is_served(
    history: tuple[list[NewEvent], list[list[NewEvent]]],
) -> None:
    world = World()
    spoken = [replace(e, source=EventSource.RECONCILIATION) for part in history[1] for e in part]
    for event in spoken:
        world.happen(event)
    last = {m["entity_id"]: m["data"]["values"] for m in world.messages}
    served = {key.split("/")[-1]: values for key, values in world.documents().items()}
    for values in served.values():
        values.pop("_meta")
    assert last == served


def _rebuilt(world: World) -> dict[str, Any]:
    walker = StreamWalker(world.store)
    found: dict[str, Any] = {}
    for name in world.store.entity_names():
        mapping = world.ports.mapping_of(name)
        assert mapping is not None
        for heads, _ in walker.pages(name, None):
            for batch in walker.fold(heads):
                for folded in batch.folded:
                    document = document_of(mapping, folded, NOW)
                    if document:
                        found[document.id] = _as_served(document.to_json(mapping.schema.fields))
    return found


def _as_served(body: bytes) -> Any:
    served = orjson.loads(body)
    served["_meta"].pop("projected_at")
    return served
