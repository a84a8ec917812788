from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from crm_events.adapters.memory import MemoryEventStore
from crm_events.domain.events import EventSource, NewEvent, StoredEvent
from crm_events.domain.heads import Head, Watermark
from crm_events.domain.identifiers import StreamKey
from crm_events.folding import FoldBase, FoldedStream, fold_stream
from crm_events.ports.event_store import EventStoreUnavailableError, ReadRequest
from crm_projections.adapters.memory import MemoryBroadcaster, MemoryReadModel
from crm_projections.ports.broadcaster import BroadcasterUnavailableError, Message, PublishResult
from crm_projections.ports.read_model import (
    Document,
    Generation,
    GenerationState,
    ReadModelUnavailableError,
    SaveOutcome,
    SaveResult,
)
from tests.builders import TIMESTAMP, a_new_event, a_snapshot, a_stream
from tests.world import NOW, World

STREAM = a_stream()


def at(second: int, change_type: str = "UPDATE", stream: StreamKey = STREAM, **fields: object) -> NewEvent:
    """A change at a second of its own."""
    body = dict(fields) if fields or change_type == "UPDATE" else None
    return a_new_event(change_type, body, stream=stream, timestamp=TIMESTAMP + second * 1000)


@pytest.fixture
def world() -> World:
    return World()


class TestDocument:
    def test_is_readable_after_projecting(self, world: World) -> None:
        world.happen(at(1, "CREATE", Name="Lindqvist Marine AB", Phone="1"))
        document = world.document()
        assert document is not None
        assert (document["name"], document["phone"]) == ("Lindqvist Marine AB", "1")

    def test_says_where_it_came_from(self, world: World) -> None:
        world.happen(at(1, "CREATE"), at(2, Phone="2"))
        document = world.document()
        assert document is not None
        meta = document["_meta"]
        assert (meta["version"], meta["complete"]) == (2, True)
        assert meta["order_key"] == str(at(2).order_key)
        assert meta["projected_at"] == "2026-10-06T07:20:09.123Z"

    def test_is_marked_incomplete_when_it_began_with_an_update(self, world: World) -> None:
        world.happen(at(1, Phone="2"))
        document = world.document()
        assert document is not None
        assert document["_meta"]["complete"] is False
        assert world.head().dirty

    def test_does_not_exist_for_a_record_known_only_from_gaps(self, world: World) -> None:
        assert world.happen(at(1, "GAP_UPDATE")).done == 1
        assert world.document() is None
        assert (world.head().is_pending, world.head().dirty, world.messages) == (False, True, [])

    def test_is_a_tombstone_with_last_values_after_a_delete(self, world: World) -> None:
        world.happen(at(1, "CREATE", Name="Gone AB"), at(2, "DELETE"))
        document = world.document()
        assert document is not None
        assert (document["is_deleted"], document["name"]) == (True, "Gone AB")

    def test_takes_a_late_event_at_its_place(self, world: World) -> None:
        world.happen(at(1, "CREATE", Name="A"), at(3, Phone="new"))
        world.happen(at(2, Phone="old", Website="w"))
        document = world.document()
        assert document is not None
        assert (document["phone"], document["website"], document["_meta"]["version"]) == ("new", "w", 3)

    def test_goes_to_every_generation_that_takes_writes(self, world: World) -> None:
        world.happen(at(1, "CREATE"))
        mapping = world.ports.mapping_of("Account")
        assert mapping is not None
        made = world.read_model.create_generation(mapping.schema, mapping.fingerprint, NOW)
        world.happen(at(2, Phone="5"))
        assert world.read_model.get_many("client", [STREAM.entity_id], made.number)[STREAM.entity_id].version == 2


class TestUnmappedEntity:
    def test_moves_its_watermarks_without_document_or_message(self, world: World) -> None:
        stream = a_stream(1, "Work_Order_Line__c")
        world.happen(at(1, "CREATE", stream=stream))
        assert not world.head(stream).is_pending
        assert world.messages == []


class TestBroadcast:
    def test_tells_of_a_new_entity_with_all_its_values(self, world: World) -> None:
        world.happen(at(1, "CREATE", Name="A"))
        (message,) = world.messages
        assert (message["entity_name"], message["entity_id"], message["event_type"]) == (*STREAM, "CREATE")
        assert (message["version"], message["change"], message["complete"]) == (1, "created", True)
        assert message["data"]["values"]["name"] == "A"
        assert message["timestamp"] == "2026-10-06T07:20:01.000Z"

    def test_names_changed_fields_with_before_and_after(self, world: World) -> None:
        world.happen(at(1, "CREATE", Name="A", Phone="1"))
        world.happen(at(2, Phone="2"))
        changed = {c["field"]: (c["before"], c["after"]) for c in world.messages[-1]["changed_fields"]}
        assert changed["phone"] == ("1", "2")
        assert "name" not in changed

    def test_compares_with_the_last_published_version(self, world: World) -> None:
        world.happen(at(1, "CREATE", Name="A", Phone="1"))
        world.happen(at(2, Phone="2"), at(3, Phone="3"))
        changed = {c["field"]: (c["before"], c["after"]) for c in world.messages[-1]["changed_fields"]}
        assert changed["phone"] == ("1", "3")
        assert len(world.messages) == 2

    def test_says_deleted_and_restored(self, world: World) -> None:
        for event in (at(1, "CREATE"), at(2, "DELETE"), at(3, "UNDELETE")):
            world.happen(event)
        assert [message["change"] for message in world.messages] == ["created", "deleted", "restored"]

    def test_is_silent_when_nothing_a_consumer_sees_changed(self, world: World) -> None:
        world.happen(at(1, "CREATE", Name="A"))
        world.happen(at(2, "GAP_UPDATE"))
        assert len(world.messages) == 1
        assert not world.head().is_pending

    def test_sends_when_a_value_went_away_and_came_back(self, world: World) -> None:
        """Rows carry no commit time of their own, so the entity is the very same after A, B, A."""
        row = {"Name": "A", "SystemModstamp": "2026-10-06T07:20:00.000Z"}
        world.happen(_row(1, row))
        world.happen(_row(2, {**row, "Name": "B"}), _row(3, row))
        assert [m["version"] for m in world.messages] == [1, 3]
        assert world.messages[-1]["changed_fields"] == []

    def test_always_sends_for_a_late_event(self, world: World) -> None:
        row = {"Name": "A", "SystemModstamp": "2026-10-06T07:20:00.000Z"}
        world.happen(_row(5, row))
        world.happen(_row(3, row))
        assert [m["version"] for m in world.messages] == [1, 2]

    def test_keeps_a_backfill_silent(self, world: World) -> None:
        world.happen(a_snapshot())
        assert world.messages == []
        assert not world.head().is_pending

    def test_sends_what_changed_besides_a_backfill(self, world: World) -> None:
        world.happen(a_snapshot({"Name": "A"}), at(9, Phone="7"))
        assert [m["version"] for m in world.messages] == [2]

    def test_counts_before_from_raw_events_when_a_late_one_was_folded(self, world: World) -> None:
        world.happen(at(1, "CREATE", Name="A"), at(5, Phone="5"))
        world.happen(at(3, Phone="3", Website="w"))
        changed = {c["field"]: (c["before"], c["after"]) for c in world.messages[-1]["changed_fields"]}
        assert changed["website"] == (None, "w")
        assert "phone" not in changed

    def test_gives_each_version_its_own_stable_message_id(self, world: World) -> None:
        world.happen(at(1, "CREATE"))
        world.happen(at(2, Phone="1"))
        assert [m["message_id"] for m in world.messages] == [f"{STREAM}/1", f"{STREAM}/2"]


class TestCrashes:
    """A crash is an engine that fails at one step; the next call must end where an undisturbed one would."""

    def test_before_the_read_model_leaves_the_stream_pending(self) -> None:
        world = World(read_model=_Down(ReadModelUnavailableError("down")))
        world.record(at(1, "CREATE"))
        with pytest.raises(ReadModelUnavailableError):
            world.project()
        assert (world.head().is_pending, world.head().blocked, world.messages) == (True, False, [])

    def test_of_the_broadcast_serves_the_document_and_sends_later(self) -> None:
        broadcaster = _Flaky()
        world = World(broadcaster=broadcaster)
        broadcaster.down = True
        assert world.happen(at(1, "CREATE")).pending == 1
        assert (world.document() is not None, world.head().is_pending) == (True, True)
        broadcaster.down = False
        assert world.project().done == 1
        assert [m["version"] for m in world.messages] == [1]

    def test_of_one_message_holds_up_only_its_stream(self) -> None:
        broadcaster = _Flaky()
        world = World(broadcaster=broadcaster)
        other = a_stream(2)
        broadcaster.refused = str(other)
        world.happen(at(1, "CREATE"), at(1, "CREATE", other))
        assert (world.head().is_pending, world.head(other).is_pending) == (False, True)

    def test_before_the_watermarks_sends_again_with_the_same_id(self, world: World) -> None:
        world.record(at(1, "CREATE"))
        store = world.store
        world.store = _NoWatermarks(store)
        with pytest.raises(EventStoreUnavailableError):
            world.project()
        world.store = store
        world.project()
        assert {m["message_id"] for m in world.messages} == {f"{STREAM}/1"}
        assert not world.head().is_pending


class TestFailures:
    def test_park_one_stream_and_let_the_others_pass(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        bad, good = a_stream(1), [a_stream(n) for n in range(2, 9)]
        _break_fold_of(bad, monkeypatch)
        result = world.happen(*[at(1, "CREATE", stream) for stream in [bad, *good]])
        assert (result.done, result.parked) == (7, 1)
        assert (world.head(bad).blocked, list(world.dead_letters.streams)) == (True, [bad])
        assert all(not world.head(stream).is_pending for stream in good)

    def test_say_what_is_so_and_what_to_do(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        _break_fold_of(STREAM, monkeypatch)
        world.happen(at(1, "CREATE"))
        detail = world.dead_letters.streams[STREAM].detail
        assert "ZeroDivisionError" in detail
        assert "Next:" in detail

    def test_are_left_alone_until_they_are_released(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patch:
            _break_fold_of(STREAM, patch)
            world.happen(at(1, "CREATE"))
        assert world.happen(at(2, Phone="1")).done == 0
        world.store.set_blocked([STREAM], blocked=False)
        assert world.project().done == 1
        assert world.dead_letters.streams == {}

    def test_of_a_document_park_its_stream_alone(self) -> None:
        bad, good = a_stream(1), a_stream(2)
        world = World(read_model=_Refusing(bad.entity_id))
        world.happen(at(1, "CREATE", bad), at(1, "CREATE", good))
        assert (world.head(bad).blocked, world.head(good).blocked) == (True, False)
        assert [m["stream"] for m in world.messages] == [str(good)]

    def test_of_a_generation_that_does_not_serve_fail_that_generation_alone(self) -> None:
        read_model = _Refusing(STREAM.entity_id, only_generation=2)
        world = World(read_model=read_model)
        world.happen(at(1, "CREATE"))
        mapping = world.ports.mapping_of("Account")
        assert mapping is not None
        read_model.create_generation(mapping.schema, mapping.fingerprint, NOW)
        world.happen(at(2, Phone="1"))
        assert not world.head().blocked
        assert [g.state for g in read_model.generations("client")] == [GenerationState.READY, GenerationState.FAILED]


class TestSavedStates:
    def test_are_written_once_enough_events_came(self) -> None:
        world = World(saved_state_every=3)
        world.happen(at(1, "CREATE"), at(2, Phone="1"))
        assert world.store.load_states([STREAM]) == {}
        world.happen(at(3, Phone="2"))
        assert world.store.load_states([STREAM])[STREAM].version == 3

    def test_change_nothing_but_the_work(self) -> None:
        plain, saving = World(), World(saved_state_every=1)
        events = [at(1, "CREATE", Name="A"), at(4, Phone="1"), at(2, Phone="2", Website="w"), at(5, "DELETE")]
        for event in events:
            plain.happen(event)
            saving.happen(event)
        assert saving.documents() == plain.documents()
        assert saving.messages == plain.messages

    def test_let_a_fold_begin_behind_them(self) -> None:
        world = World(saved_state_every=1)
        world.happen(at(1, "CREATE"))
        counting = _CountingStore(world.store)
        world.store = counting
        world.happen(at(2, Phone="1"))
        assert counting.events_read == 1

    def test_are_passed_over_when_an_event_arrived_late(self) -> None:
        world = World(saved_state_every=1)
        world.happen(at(1, "CREATE", Name="A"), at(5, Phone="5"))
        world.happen(at(3, Phone="3", Website="w"))
        document = world.document()
        assert document is not None
        assert (document["phone"], document["website"]) == ("5", "w")

    def test_of_another_fold_are_passed_over(self) -> None:
        world = World(saved_state_every=1)
        world.happen(at(1, "CREATE", Name="A"))
        saved = world.store.load_states([STREAM])[STREAM]
        world.store.save_states([replace(saved, fingerprint="older", body=b"no JSON")])
        world.happen(at(2, Phone="1"))
        document = world.document()
        assert document is not None
        assert (document["name"], document["phone"]) == ("A", "1")


class TestSweep:
    def test_finds_streams_that_nobody_projected(self, world: World) -> None:
        world.record(at(1, "CREATE"), at(1, "CREATE", a_stream(2)))
        assert world.projector.sweep(10, NOW, NOW).done == 0
        assert world.projector.sweep(10, NOW + timedelta(seconds=1), NOW).done == 2

    def test_takes_a_bounded_number(self, world: World) -> None:
        world.record(*[at(1, "CREATE", a_stream(n)) for n in range(5)])
        assert world.projector.sweep(3, NOW + timedelta(seconds=1), NOW).done == 3


def _row(second: int, row: Mapping[str, object]) -> NewEvent:
    return a_snapshot(dict(row), read_start=TIMESTAMP + second * 1000, source=EventSource.RECONCILIATION)


def _break_fold_of(stream: StreamKey, patch: pytest.MonkeyPatch) -> None:
    def broken(head: Head, base: FoldBase, events: Sequence[StoredEvent]) -> FoldedStream:
        if head.stream == stream:
            raise ZeroDivisionError("division by zero")
        return fold_stream(head, base, events)

    patch.setattr("crm_projections.services.projector.fold_stream", broken)


class _Flaky(MemoryBroadcaster):
    down = False
    refused = ""

    def publish(self, messages: Sequence[Message]) -> list[PublishResult]:
        if self.down:
            raise BroadcasterUnavailableError("down")
        taken = super().publish([m for m in messages if m.detail["stream"] != self.refused])
        known = {result.id for result in taken}
        return [PublishResult(m.id, "" if m.id in known else "too large") for m in messages]


class _Down(MemoryReadModel):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def save_many(self, generation: Generation, documents: Sequence[Document]) -> list[SaveResult]:
        raise self._error


class _Refusing(MemoryReadModel):
    def __init__(self, refused: str, only_generation: int | None = None) -> None:
        super().__init__()
        self._refused = refused
        self._only = only_generation

    def save_many(self, generation: Generation, documents: Sequence[Document]) -> list[SaveResult]:
        if self._only not in (None, generation.number):
            return super().save_many(generation, documents)
        taken = super().save_many(generation, [d for d in documents if d.id != self._refused])
        refused = [SaveResult(d.id, SaveOutcome.REFUSED, "too long") for d in documents if d.id == self._refused]
        return taken + refused


class _Passing(MemoryEventStore):
    """A store that shares everything with another one."""

    def __init__(self, store: MemoryEventStore) -> None:
        self.__dict__ = store.__dict__


class _NoWatermarks(_Passing):
    def move_watermarks(self, moves: Sequence[Watermark]) -> None:
        raise EventStoreUnavailableError("down")


class _CountingStore(_Passing):
    events_read = 0

    def read(self, requests: Sequence[ReadRequest]) -> dict[StreamKey, list[StoredEvent]]:
        found = super().read(requests)
        self.events_read += sum(map(len, found.values()))
        return found
