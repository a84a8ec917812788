"""Replays on real rows: documents again from raw events, with today's mapping, silent unless asked to speak."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from crm_events.domain.identifiers import StreamKey
from crm_events.ports.runs import RunStatus
from crm_mappings.common import COMMON_FIELDS
from crm_mappings.dto import EntityDto, Text
from crm_mappings.mapping import EntityMapping, MappedField
from crm_mappings.registry import use_mappings
from crm_mappings.transforms import text
from crm_projections.ports.broadcaster import BroadcasterUnavailableError, Message, PublishResult
from crm_projections.ports.read_model import Document, Generation, SaveResult
from crm_projections.services import walking
from tests.builders import a_stream
from tests.engines.defaults import DefaultBroadcaster, DefaultReadModel
from tests.integration.crm_projections.rows import NOW, Rows, at, kill, killed, press_ctrl_c, the_mapping

pytestmark = pytest.mark.django_db
STALE = timedelta(seconds=31)
ORDER = a_stream(1, "Work_Order_Line__c")


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "PAGE", 2)


def create_contacts(rows: Rows, number: int) -> list[StreamKey]:
    streams = [a_stream(n, "Contact") for n in range(1, number + 1)]
    rows.happen(*[at(1, "CREATE", stream, LastName=f"Contact {n}") for n, stream in enumerate(streams, 1)])
    return streams


class TestDryRun:
    def test_says_what_would_change(self, rows: Rows) -> None:
        streams = rows.create_clients(3)
        rows.spoil(streams[1])
        rows.record(at(5, "CREATE", a_stream(4)))
        run = rows.run("replay", "Account", dry_run=True)
        assert (run.status, run.total) == (RunStatus.DONE, 4)
        assert run.counts == {"streams": 4, "failed": 0, "events": 4, "unchanged": 2, "changed": 1, "created": 1}

    def test_writes_nothing(self, rows: Rows) -> None:
        streams = rows.create_clients(2)
        rows.spoil(streams[0])
        rows.record(at(5, "CREATE", a_stream(4)))
        before = rows.documents()
        rows.run("replay", "", dry_run=True, broadcast=True)
        assert rows.documents() == before
        assert len(rows.messages()) == 2
        assert rows.head(a_stream(4)).is_pending

    def test_makes_no_generation(self, rows: Rows) -> None:
        rows.record(at(1, "CREATE"))
        rows.run("replay", "", dry_run=True)
        assert rows.read_model.generations("client") == []


class TestReplay:
    def test_mends_documents(self, rows: Rows) -> None:
        streams = rows.create_clients(5)
        for stream in streams[2:4]:
            rows.spoil(stream)
        run = rows.run("replay", "Account")
        assert (run.status, run.counts["changed"], run.counts["unchanged"]) == (RunStatus.DONE, 2, 3)
        assert rows.names() == [f"Client {n}" for n in range(1, 6)]

    def test_of_one_record_touches_no_other(self, rows: Rows) -> None:
        streams = rows.create_clients(3)
        for stream in streams:
            rows.spoil(stream)
        run = rows.run("replay", str(streams[1]))
        assert (run.total, run.counts["streams"]) == (1, 1)
        assert rows.names() == ["wrong", "Client 2", "wrong"]

    def test_of_one_object_touches_no_other(self, rows: Rows) -> None:
        rows.spoil(rows.create_clients(1)[0])
        rows.spoil(create_contacts(rows, 1)[0], entity="contact")
        rows.run("replay", "Contact")
        assert (rows.names(), rows.names("contact")) == (["wrong"], ["Contact 1"])

    def test_of_everything_takes_every_object(self, rows: Rows) -> None:
        rows.spoil(rows.create_clients(3)[0])
        rows.spoil(create_contacts(rows, 3)[2], entity="contact")
        rows.happen(at(1, "CREATE", ORDER))
        run = rows.run("replay", "")
        assert (run.total, run.counts["streams"], run.counts["changed"]) == (7, 7, 2)
        assert (rows.names()[0], rows.names("contact")[2]) == ("Client 1", "Contact 3")

    def test_makes_an_entity_appear_whose_mapping_came_later(self, rows: Rows) -> None:
        rows.happen(at(1, "CREATE", ORDER, Status__c="New"), at(2, stream=ORDER, Status__c="Done"))
        with use_mappings(WORK_ORDER_LINE):
            run = rows.run("replay", "Work_Order_Line__c")
            (document,) = rows.documents("work_order_line").values()
        assert run.counts["created"] == 1
        assert (document["status"], document["_meta"]["version"]) == ("Done", 2)

    def test_writes_to_a_generation_that_is_being_filled(self, rows: Rows) -> None:
        rows.create_clients(2)
        made = rows.read_model.create_generation(the_mapping().schema, the_mapping().fingerprint, NOW)
        rows.run("replay", "Account")
        assert len(rows.documents(number=made.number)) == 2

    def test_goes_on_when_a_generation_is_dropped_meanwhile(self, rows: Rows) -> None:
        class Dropping(DefaultReadModel):
            def save_many(self, generation: Generation, documents: Sequence[Document]) -> list[SaveResult]:
                if not generation.serves:
                    self.drop(generation.entity, generation.number)
                return super().save_many(generation, documents)

        rows.create_clients(2)
        rows.read_model.create_generation(the_mapping().schema, the_mapping().fingerprint, NOW)
        rows.read_model = Dropping()
        assert rows.run("replay", "Account").status is RunStatus.DONE

    def test_does_not_put_old_over_new(self, rows: Rows) -> None:
        class Slow(DefaultReadModel):
            def save_many(self, generation: Generation, documents: Sequence[Document]) -> list[SaveResult]:
                Rows().happen(at(9, Phone="new"))
                return super().save_many(generation, documents)

        rows.create_clients(1)
        rows.read_model = Slow()
        rows.run("replay", "Account")
        assert rows.documents()[a_stream().entity_id]["phone"] == "new"

    def test_keeps_the_old_document_of_a_record_that_cannot_be_mapped(
        self, rows: Rows, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows.create_clients(2)
        before = rows.documents()
        monkeypatch.setattr(walking, "document_of", _fails)
        run = rows.run("replay", "Account")
        assert (run.status, run.counts["failed"]) == (RunStatus.DONE, 2)
        assert rows.documents() == before

    def test_of_a_record_that_does_not_exist_does_nothing(self, rows: Rows) -> None:
        run = rows.run("replay", str(a_stream(9)))
        assert (run.status, run.total) == (RunStatus.DONE, 0)


class TestBroadcast:
    def test_is_not_sent_unless_asked_for(self, rows: Rows) -> None:
        rows.create_clients(2)
        rows.run("replay", "Account")
        assert len(rows.messages()) == 2

    def test_sends_every_document_again_marked_with_the_run(self, rows: Rows) -> None:
        rows.create_clients(3)
        run = rows.run("replay", "Account", broadcast=True)
        again = rows.messages()[3:]
        assert run.counts["sent"] == 3
        assert [message["replay"] for message in again] == [{"run": run.id}] * 3
        assert [message["message_id"] for message in again] == [f"{a_stream(n)}/1/replay-{run.id}" for n in (1, 2, 3)]

    def test_leaves_what_was_published_where_it_was(self, rows: Rows) -> None:
        """A consumer must still hear of the change itself, which nobody has sent yet."""
        rows.create_clients(1)
        rows.record(at(5, Phone="5"))
        rows.run("replay", "Account", broadcast=True)
        assert (rows.head().published_version, rows.head().projected_version) == (1, 1)
        rows.project(a_stream())
        last = rows.messages()[-1]
        assert (last["version"], last["replay"]) == (2, None)
        assert [change["field"] for change in last["changed_fields"] if change["field"] == "phone"] == ["phone"]

    def test_fails_the_run_when_a_message_is_not_taken(self, rows: Rows) -> None:
        class Refusing(DefaultBroadcaster):
            def publish(self, messages: Sequence[Message]) -> list[PublishResult]:
                return [PublishResult(message.id, "too large") for message in messages]

        rows.create_clients(1)
        rows.broadcaster = Refusing()
        run = rows.run("replay", "Account", broadcast=True)
        assert run.status is RunStatus.FAILED
        assert "too large" in run.error

    def test_waits_while_the_broadcast_is_down(self, rows: Rows) -> None:
        class Down(DefaultBroadcaster):
            def publish(self, messages: Sequence[Message]) -> list[PublishResult]:
                raise BroadcasterUnavailableError

        rows.create_clients(1)
        rows.broadcaster = Down()
        run = rows.start("replay", "Account", broadcast=True)
        with pytest.raises(BroadcasterUnavailableError):
            rows.work(run)
        rows.broadcaster, rows.now = DefaultBroadcaster(), rows.now + STALE
        assert rows.runner.sweep().ended == 1
        assert rows.runs.get(run.id).counts["sent"] == 1


class TestInterrupted:
    @pytest.mark.parametrize("target", ["Account", ""])
    @pytest.mark.parametrize("page", range(1, 4))
    def test_goes_on_where_it_was_killed(self, rows: Rows, target: str, page: int) -> None:
        create_contacts(rows, 3)
        for stream in rows.create_clients(5):
            rows.spoil(stream)
        run = rows.start("replay", target)
        with killed():
            rows.work(run, lambda at_page: kill() if at_page == page else None)
        rows.now += STALE
        rows.runner.sweep()
        done = rows.runs.get(run.id)
        assert (done.status, done.counts["streams"]) == (RunStatus.DONE, done.total)
        assert done.counts["changed"] == 5
        assert rows.names() == [f"Client {n}" for n in range(1, 6)]

    def test_does_not_read_again_what_was_done(self, rows: Rows) -> None:
        rows.create_clients(6)
        run = rows.start("replay", "Account")
        with pytest.raises(KeyboardInterrupt):
            rows.work(run, lambda page: press_ctrl_c() if page == 2 else None)
        rows.spoil(a_stream(1))
        rows.spoil(a_stream(6))
        resumed = rows.runs.claim(run.id, rows.now, resume=True)
        assert resumed is not None
        rows.work(resumed)
        assert (rows.names()[0], rows.names()[5]) == ("wrong", "Client 6")

    def test_ends_equal_to_live_when_records_change_meanwhile(self, rows: Rows) -> None:
        rows.create_clients(6)

        def live(page: int) -> None:
            rows.happen(at(10 * page, Phone=f"{page}"), at(10 * page, stream=a_stream(6), Phone=f"{page}"))

        rows.run("replay", "Account", live)
        phones = [document["phone"] for document in rows.documents().values()]
        assert (phones[0], phones[5]) == ("3", "3")


def _fails(*_: object) -> None:
    raise ZeroDivisionError("our mistake")


class WorkOrderLine(EntityDto):
    """A line of a work order."""

    status: Text | None


WORK_ORDER_LINE = EntityMapping(
    source="Work_Order_Line__c",
    entity="work_order_line",
    dto=WorkOrderLine,
    fields=(*COMMON_FIELDS, MappedField.of("status", "Status__c", text)),
)
