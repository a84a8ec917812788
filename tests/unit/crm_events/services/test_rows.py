from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crm_events.adapters.memory import MemoryEventStore
from crm_events.domain.events import EventSource, EventType, NewEvent
from crm_events.domain.identifiers import StreamKey
from crm_events.folding import StreamReader, fold_stream
from crm_events.ports.event_store import ReadRequest
from crm_events.record import RecordState
from crm_events.services.appending import append_events
from crm_events.services.rows import RowBatch, RowsWritten, RowWriter
from tests.builders import TIMESTAMP, a_new_event, a_stream, an_id

NOW = datetime(2026, 10, 6, 8, tzinfo=UTC)
READ_START = datetime.fromtimestamp(TIMESTAMP / 1000, UTC) + timedelta(minutes=10)
FULL = {"Id": an_id(), "Name": "Nordlicht", "IsDeleted": False}


class Log:
    """A log, and who writes rows into it."""

    def __init__(self) -> None:
        self.store = MemoryEventStore()
        self.writer = RowWriter(self.store)

    def happen(self, *events: NewEvent) -> None:
        append_events(self.store, events, NOW)

    def write(self, *rows: Mapping[str, Any], read_start: datetime = READ_START, full: bool = True) -> RowsWritten:
        return self.writer.write(RowBatch("Account", rows, read_start, EventSource.BACKFILL, "run:1", full=full), NOW)

    def write_gone(self, *streams: StreamKey) -> list[StreamKey]:
        return self.writer.write_gone(streams, READ_START, EventSource.RECONCILIATION, "run:2", NOW)

    def types(self, stream: StreamKey | None = None) -> list[EventType]:
        stream = stream or a_stream()
        return [stored.event.event_type for stored in self.store.read([ReadRequest(stream)])[stream]]

    def state(self, stream: StreamKey | None = None) -> RecordState:
        stream = stream or a_stream()
        head = self.store.heads([stream])[stream]
        base, events = StreamReader(self.store, use_saved_states=False).read([head])[stream]
        return fold_stream(head, base, events).current


@pytest.fixture
def log() -> Log:
    return Log()


class TestRows:
    def test_make_records_that_the_log_did_not_know(self, log: Log) -> None:
        written = log.write(FULL, {**FULL, "Id": an_id(2)})
        assert written.streams == [a_stream(1), a_stream(2)]
        assert log.state().fields["Name"] == "Nordlicht"

    def test_that_say_nothing_new_are_not_appended(self, log: Log) -> None:
        log.happen(a_new_event("CREATE", {"Name": "Nordlicht"}))
        written = log.write(FULL)
        assert (written.unchanged, written.streams) == (1, [])
        assert log.types() == [EventType.CREATE]

    def test_say_what_the_log_missed(self, log: Log) -> None:
        log.happen(a_new_event("CREATE", {"Name": "Old"}))
        (difference,) = log.write(FULL).differences[a_stream()]
        assert (difference.column, difference.in_log, difference.in_salesforce) == ("Name", "Old", "Nordlicht")

    @pytest.mark.parametrize(
        "event", [a_new_event("GAP_UPDATE"), a_new_event("UPDATE", {"Name": "Nordlicht"})], ids=["dirty", "incomplete"]
    )
    def test_that_say_nothing_new_still_make_a_record_whole(self, log: Log, event: NewEvent) -> None:
        log.happen(event)
        log.write(FULL)
        assert (log.state().is_dirty, log.state().complete) == (False, True)

    def test_of_before_a_gap_leave_the_record_to_be_read_again(self, log: Log) -> None:
        log.happen(a_new_event("GAP_UPDATE"))
        log.write(FULL, read_start=datetime.fromtimestamp(TIMESTAMP / 1000, UTC))
        assert log.state().is_dirty

    def test_lose_to_a_change_of_the_same_second(self, log: Log) -> None:
        at = int(READ_START.timestamp() * 1000)
        log.happen(a_new_event("CREATE", {"Name": "Newest"}, timestamp=at))
        log.write({**FULL, "Name": "Read before"})
        assert log.state().fields["Name"] == "Newest"

    def test_written_again_change_nothing(self, log: Log) -> None:
        log.happen(a_new_event("GAP_UPDATE"))
        assert log.write(FULL).streams == [a_stream()]
        assert log.write(FULL).streams == []
        assert log.types() == [EventType.GAP_UPDATE, EventType.SNAPSHOT]

    def test_without_a_usable_id_are_named_and_the_others_go_on(self, log: Log) -> None:
        written = log.write({"Id": "nonsense"}, {"Name": "none"}, FULL)
        assert len(written.unreadable) == 2
        assert written.streams == [a_stream()]

    def test_of_the_recycle_bin_delete_the_record(self, log: Log) -> None:
        log.happen(a_new_event("CREATE", {"Name": "Nordlicht"}))
        log.write({**FULL, "IsDeleted": True})
        assert log.state().is_deleted

    def test_are_compared_without_writing(self, log: Log) -> None:
        log.happen(a_new_event("CREATE", {"Name": "Old"}))
        batch = RowBatch("Account", [FULL], READ_START, EventSource.RECONCILIATION, "run:3")
        assert [found.column for found in log.writer.plan(batch).differences[a_stream()]] == ["Name"]
        assert log.types() == [EventType.CREATE]


class TestRecordsThatAreGone:
    def test_become_tombstones_with_nothing_left_to_read(self, log: Log) -> None:
        log.happen(a_new_event("GAP_DELETE"))
        assert log.write_gone(a_stream()) == [a_stream()]
        assert (log.state().is_deleted, log.state().is_dirty) == (True, False)

    def test_are_not_told_twice(self, log: Log) -> None:
        log.happen(a_new_event("CREATE", {"Name": "Nordlicht"}))
        log.write_gone(a_stream())
        assert log.write_gone(a_stream()) == []

    def test_known_by_an_event_need_no_second_one(self, log: Log) -> None:
        log.happen(a_new_event("CREATE"), a_new_event("DELETE", timestamp=TIMESTAMP + 1000))
        assert log.write_gone(a_stream()) == []
