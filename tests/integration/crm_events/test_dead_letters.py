from dataclasses import replace
from datetime import timedelta

import pytest

from crm_events.models import DeadLetter
from crm_events.ports.dead_letters import EventFailure, StreamFailure
from crm_events.selectors import dead_letter_counts
from crm_events.services.dead_letters import OperationalDeadLetters
from tests.builders import a_stream
from tests.integration.crm_events.delivering import NOW, letters

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)
EVENT = EventFailure("no_header", "It has no header.", '{"a": 1}', "d1", 0)
STREAM = StreamFailure("projection_failed", "It could not be folded.", a_stream(), "KeyError")
KEEPER = OperationalDeadLetters()


class TestOfEvents:
    def test_keep_the_whole_failure(self) -> None:
        KEEPER.report_events([replace(EVENT, record="x", entity_name="Account")], NOW)
        (letter,) = letters()
        assert (letter.kind, letter.code, letter.detail) == ("event", "no_header", "It has no header.")
        assert (letter.delivery_id, letter.delivery_index, letter.record, letter.payload) == ("d1", 0, "x", '{"a": 1}')
        assert (letter.attempts, letter.first_failed_at, letter.last_failed_at) == (1, NOW, NOW)

    def test_are_one_for_each_delivery_index_and_record(self) -> None:
        different = [
            EVENT,
            replace(EVENT, delivery_id="d2"),
            replace(EVENT, delivery_index=1),
            replace(EVENT, record="x"),
        ]
        KEEPER.report_events(different, NOW)
        KEEPER.report_events(different, LATER)
        assert len(letters()) == 4

    def test_are_not_reported_again_once_they_are_closed(self) -> None:
        """The delivery may be worked on once more after a crash."""
        KEEPER.report_events([EVENT], NOW)
        DeadLetter.objects.update(resolved_at=NOW)
        KEEPER.report_events([EVENT], LATER)
        assert len(letters()) == 1

    def test_take_texts_that_databases_do_not(self) -> None:
        KEEPER.report_events([replace(EVENT, detail="a\x00b", record="\x00", entity_name="\x00")], NOW)
        assert (letters()[0].detail, letters()[0].record) == ("a�b", "�")

    def test_share_a_fingerprint_when_one_repair_would_mend_them(self) -> None:
        KEEPER.report_events(
            [replace(EVENT, delivery_index=n, cause=cause) for n, cause in enumerate(["a", "a", "b"])], NOW
        )
        prints = [letter.fingerprint for letter in letters()]
        assert prints[0] == prints[1] != prints[2]


class TestOfStreams:
    def test_are_one_for_each_stream_and_counted_up(self) -> None:
        KEEPER.report_streams([STREAM], NOW)
        KEEPER.report_streams([replace(STREAM, code="document_refused", detail="Now this.")], LATER)
        (letter,) = letters()
        assert (letter.kind, letter.entity_name, letter.record, letter.attempts) == ("stream", *a_stream(), 2)
        assert (letter.code, letter.detail) == ("document_refused", "Now this.")
        assert (letter.first_failed_at, letter.last_failed_at) == (NOW, LATER)

    def test_are_new_ones_after_the_old_were_closed(self) -> None:
        KEEPER.report_streams([STREAM], NOW)
        KEEPER.resolve_streams([a_stream()], LATER)
        KEEPER.report_streams([STREAM], LATER)
        assert [(letter.attempts, letter.resolved_at) for letter in letters()] == [(1, LATER), (1, None)]

    def test_close_when_their_streams_were_projected(self) -> None:
        others = [a_stream(2), a_stream(1, "Contact")]
        KEEPER.report_streams([replace(STREAM, stream=stream) for stream in [a_stream(), *others]], NOW)
        assert KEEPER.resolve_streams([a_stream(), a_stream(9)], LATER) == 1
        closed = DeadLetter.objects.exclude(resolved_at=None).get()
        assert (closed.record, closed.resolution, closed.resolved_at) == (a_stream().entity_id, "passed", LATER)

    def test_close_once(self) -> None:
        KEEPER.report_streams([STREAM], NOW)
        assert [KEEPER.resolve_streams([a_stream()], moment) for moment in (NOW, LATER)] == [1, 0]
        assert letters()[0].resolved_at == NOW

    def test_leave_letters_of_events_open(self) -> None:
        KEEPER.report_events([replace(EVENT, record=a_stream().entity_id, entity_name="Account")], NOW)
        assert KEEPER.resolve_streams([a_stream()], LATER) == 0

    def test_are_none_for_nothing(self) -> None:
        KEEPER.report_streams([], NOW)
        assert (KEEPER.resolve_streams([], NOW), letters()) == (0, [])


def test_open_ones_are_counted_by_code() -> None:
    KEEPER.report_events([EVENT, replace(EVENT, delivery_id="d2")], NOW)
    KEEPER.report_streams([STREAM], NOW)
    DeadLetter.objects.filter(delivery_id="d2").update(resolved_at=NOW)
    assert dead_letter_counts() == {"no_header": 1, "projection_failed": 1}
