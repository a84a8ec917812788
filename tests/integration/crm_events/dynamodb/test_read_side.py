from random import Random
from typing import Any, cast

from crm_events.adapters.dynamodb.event_store import DynamoDBEventStore
from crm_events.domain.events import NewEvent
from tests.builders import TIMESTAMP, a_new_event, a_stream
from tests.world import World


def a_history() -> list[NewEvent]:
    """Return the events of some records in the order in which they happened."""
    events = [
        a_new_event(
            kind,
            {"Name": f"Lindqvist {number} {second}", "Phone": str(second)},
            stream=a_stream(number),
            timestamp=TIMESTAMP + second * 1000,
            delivery=(f"d{number}", second),
        )
        for number in range(1, 6)
        for second, kind in enumerate(["CREATE", *["UPDATE"] * 6, "DELETE", "UNDELETE"])
    ]
    return sorted(events, key=lambda event: event.position)


def in_deliveries(world: World, events: list[NewEvent]) -> None:
    for start in range(0, len(events), 7):
        world.happen(*events[start : start + 7])


def test_ends_in_the_same_documents_and_messages_as_a_log_in_memory(store: DynamoDBEventStore) -> None:
    events = a_history()
    Random(5).shuffle(events)  # noqa: S311  # the same on every run
    in_memory, on_dynamodb = World(saved_state_every=2), World(store=cast("Any", store), saved_state_every=2)
    for world in (in_memory, on_dynamodb):
        in_deliveries(world, events)
        in_deliveries(world, events[:10])  # delivered once more
    assert on_dynamodb.documents() == in_memory.documents()
    assert on_dynamodb.messages == in_memory.messages
    assert store.load_states([event.stream for event in events]) == in_memory.store.load_states(
        [event.stream for event in events]
    )


def test_leaves_no_stream_waiting(store: DynamoDBEventStore) -> None:
    world = World(store=cast("Any", store))
    in_deliveries(world, a_history())
    assert store.statistics().pending_events == 0
    assert store.pending_streams(10) == []
