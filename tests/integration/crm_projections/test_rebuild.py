"""Rebuilds on real rows: a new generation from raw events, beside live changes, through every interruption."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from crm_events.models import DeadLetter
from crm_events.ports.event_store import EventStoreUnavailableError
from crm_events.ports.runs import RunStatus, RunView
from crm_mappings.common import COMMON_FIELDS
from crm_mappings.dto import EntityDto, NameText, Text
from crm_mappings.mapping import EntityMapping, MappedField
from crm_mappings.registry import use_mappings
from crm_mappings.transforms import text
from crm_projections.ports.read_model import (
    Comparison,
    Document,
    Generation,
    SaveResult,
)
from crm_projections.services import walking
from tests.builders import a_stream
from tests.engines.defaults import DefaultEventStore, DefaultReadModel
from tests.integration.crm_projections.faults import (
    DownStore,
    ForgetfulStore,
    PickyModel,
    deadly,
    failing_on,
    unmappable,
)
from tests.integration.crm_projections.rows import Rows, at, kill, killed, press_ctrl_c

pytestmark = pytest.mark.django_db
STALE = timedelta(seconds=31)


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "PAGE", 2)


def states(rows: Rows) -> list[tuple[int, str, bool]]:
    return [(g.number, g.state.value, g.serves) for g in rows.read_model.generations("client")]


class TestRebuild:
    def test_fills_a_new_generation_and_switches_to_it(self, rows: Rows) -> None:
        rows.create_clients(5)
        rows.happen(at(2, Phone="2"), at(3, "DELETE", a_stream(5)))
        before = rows.documents()
        run = rows.run("rebuild", "client")
        assert (run.status, run.error) == (RunStatus.DONE, "")
        assert states(rows) == [(1, "ready", False), (2, "ready", True)]
        assert rows.documents() == before
        assert len(before) == 5

    def test_says_what_it_did(self, rows: Rows) -> None:
        rows.create_clients(5)
        rows.happen(at(2, Phone="2"))
        run = rows.run("rebuild", "client")
        assert (run.total, run.counts) == (5, {"streams": 5, "events": 6, "documents": 5})
        assert run.log[0] == "Generation 2 is being filled."
        assert run.log[1].startswith("Compared with the serving generation: 5 the same, 0 changed, 0 new, 0 no longer")
        assert run.log[2] == "Generation 2 serves. Generation 1 is kept for a way back."

    def test_mends_what_the_old_documents_had_wrong(self, rows: Rows) -> None:
        streams = rows.create_clients(3)
        rows.spoil(streams[1])
        run = rows.run("rebuild", "client")
        assert rows.names() == ["Client 1", "Client 2", "Client 3"]
        assert "2 the same, 1 changed" in run.log[1]
        assert streams[1].entity_id in run.log[1]

    def test_keeps_writing_to_the_old_generation(self, rows: Rows) -> None:
        rows.create_clients(1)
        rows.run("rebuild", "client")
        rows.happen(at(2, Phone="5"))
        assert rows.documents(number=1) == rows.documents(number=2)

    def test_drops_the_generation_before_the_old_one(self, rows: Rows) -> None:
        rows.create_clients(1)
        for _ in range(2):
            rows.run("rebuild", "client")
        assert states(rows) == [(2, "ready", False), (3, "ready", True)]

    def test_takes_the_fields_of_todays_mapping(self, rows: Rows) -> None:
        rows.create_clients(2)
        rows.happen(at(2, Mood__c="bright"))
        with use_mappings(MOODY):
            rows.happen(at(3, Phone="3"))
            assert "mood" not in rows.documents()[a_stream().entity_id]
            rows.run("rebuild", "client")
            assert [d["mood"] for d in rows.documents().values()] == ["bright", None]

    def test_is_silent_and_moves_no_watermark(self, rows: Rows) -> None:
        rows.create_clients(2)
        rows.record(at(5, Phone="5"))
        rows.run("rebuild", "client")
        assert len(rows.messages()) == 2
        assert (rows.head().projected_version, rows.head().published_version) == (1, 1)

    def test_of_what_is_no_entity_fails(self, rows: Rows) -> None:
        run = rows.run("rebuild", "unicorn")
        assert run.status is RunStatus.FAILED
        assert "no mapping for “unicorn”" in run.error


class TestBesideLiveChanges:
    def test_ends_equal_to_live(self, rows: Rows) -> None:
        rows.create_clients(8)

        def live(page: int) -> None:
            """Change records that were walked over already and ones that will be, make and delete some."""
            second = 10 * page
            rows.happen(at(second, Phone=f"{page}"), at(second, stream=a_stream(8), Phone=f"{page}"))
            rows.happen(at(second, "CREATE", a_stream(100 + page)), at(second, "DELETE", a_stream(page + 1)))

        run = rows.run("rebuild", "client", live)
        assert run.status is RunStatus.DONE
        assert rows.documents(number=2) == rows.documents(number=1)
        assert len(rows.documents()) > 8

    def test_does_not_put_old_over_new(self, rows: Rows) -> None:
        """The record changes after the fill has read its events, before it writes its document."""

        class Slow(DefaultReadModel):
            def save_many(self, generation: Generation, documents: Sequence[Document]) -> list[SaveResult]:
                if generation.number == 2:
                    Rows().happen(at(9, Phone="new"))
                return super().save_many(generation, documents)

        rows.create_clients(1)
        rows.read_model = Slow()
        rows.run("rebuild", "client")
        assert rows.documents()[a_stream().entity_id]["phone"] == "new"

    def test_parks_nothing_that_was_written_while_the_old_generation_went(self, rows: Rows) -> None:
        """The projector had the old generation on its list when another one was switched to and it was dropped."""

        class Model(DefaultReadModel):
            is_first = True

            def save_many(self, generation: Generation, documents: Sequence[Document]) -> list[SaveResult]:
                if self.is_first:
                    self.is_first = False
                    Rows().run("rebuild", "client")
                    self.drop("client", 1)
                return super().save_many(generation, documents)

        rows.create_clients(1)
        rows.read_model = Model()
        rows.happen(at(9, Phone="9"))
        assert (rows.head().blocked, rows.head().is_pending) == (False, False)
        assert rows.documents()[a_stream().entity_id]["phone"] == "9"


class TestInterrupted:
    def test_rests_after_ctrl_c_and_goes_on_from_its_cursor(self, rows: Rows) -> None:
        rows.create_clients(7)
        run = rows.start("rebuild", "client")
        with pytest.raises(KeyboardInterrupt):
            rows.work(run, lambda page: press_ctrl_c() if page == 3 else None)
        paused = rows.runs.get(run.id)
        assert (paused.status, paused.counts["streams"]) == (RunStatus.PAUSED, 4)
        assert rows.serving().number == 1
        resumed = rows.runs.claim(run.id, rows.now, resume=True)
        assert resumed is not None
        done = rows.work(resumed)
        assert (done.status, done.counts["streams"], len(rows.documents())) == (RunStatus.DONE, 7, 7)

    @pytest.mark.parametrize("page", range(1, 6))
    def test_is_taken_over_when_its_worker_was_killed(self, rows: Rows, page: int) -> None:
        rows.create_clients(7)
        run = rows.start("rebuild", "client")
        with killed():
            rows.work(run, lambda at_page: kill() if at_page == page else None)
        assert rows.runner.sweep().ended == 0  # its heartbeat is young
        rows.happen(at(50, Phone="50"))
        rows.now += STALE
        assert rows.runner.sweep().ended == 1
        done = rows.runs.get(run.id)
        assert (done.status, done.counts["streams"]) == (RunStatus.DONE, 7)
        assert rows.serving().number == 2
        assert rows.documents(number=2) == rows.documents(number=1)

    @pytest.mark.parametrize("call", ["create_generation", "set_state", "switch"])
    @pytest.mark.parametrize("when", ["before", "after"])
    def test_is_taken_over_when_killed_around_a_step(self, rows: Rows, call: str, when: str) -> None:
        rows.create_clients(3)
        run = rows.start("rebuild", "client")
        rows.read_model = deadly(call, when)
        with killed():
            rows.work(run)
        rows.read_model = DefaultReadModel()
        rows.now += STALE
        rows.runner.sweep()
        assert rows.runs.get(run.id).status is RunStatus.DONE
        assert rows.serving().number > 1
        assert len(rows.documents()) == 3

    def test_leaves_the_run_to_who_took_it_over(self, rows: Rows) -> None:
        rows.create_clients(5)

        def take_over(page: int) -> None:
            if page == 2:
                rows.now += STALE
                assert rows.runs.claim(run.id, rows.now) is not None

        run = rows.start("rebuild", "client")
        ended = rows.work(run, take_over)
        assert ended.status is RunStatus.RUNNING
        assert rows.serving().number == 1

    def test_ends_when_somebody_asks_for_it(self, rows: Rows) -> None:
        rows.create_clients(5)
        run = rows.start("rebuild", "client")
        ended = rows.work(run, lambda _: rows.runs.request_cancel(run.id, rows.now))
        assert (ended.status, rows.serving().number) == (RunStatus.CANCELLED, 1)

    def test_waits_while_the_log_is_down(self, rows: Rows) -> None:
        rows.create_clients(3)
        run = rows.start("rebuild", "client")
        rows.store = DownStore()
        with pytest.raises(EventStoreUnavailableError):
            rows.work(run)
        assert rows.runs.get(run.id).status is RunStatus.RUNNING
        rows.store, rows.now = DefaultEventStore(), rows.now + STALE
        rows.runner.sweep()
        assert rows.runs.get(run.id).status is RunStatus.DONE


class TestFailed:
    def test_when_the_generation_could_not_take_a_live_change(self, rows: Rows) -> None:
        rows.create_clients(5)

        def live(page: int) -> None:
            if page == 2:
                picky = Rows(read_model=PickyModel(generation=2))
                picky.happen(at(5, Name="Refused AB"))

        run = rows.run("rebuild", "client", live)
        assert run.status is RunStatus.FAILED
        assert "could not take a live change" in run.error
        assert states(rows) == [(1, "ready", True), (2, "failed", False)]
        assert not rows.head().is_pending
        assert (rows.names()[0], DeadLetter.objects.count()) == ("Refused AB", 0)

    def test_when_that_happens_during_the_comparison(self, rows: Rows) -> None:
        class Model(DefaultReadModel):
            def compare(self, entity: str, first: int, second: int) -> Comparison:
                found = super().compare(entity, first, second)
                Rows(read_model=PickyModel(generation=2)).happen(at(5, Name="Refused AB"))
                return found

        rows.create_clients(2)
        rows.read_model = Model()
        assert rows.run("rebuild", "client").status is RunStatus.FAILED
        assert rows.serving().number == 1

    def test_when_the_new_generation_refuses_a_document(self, rows: Rows) -> None:
        rows.create_clients(3)
        rows.happen(at(2, stream=a_stream(2), Name="Refused AB"))
        rows.read_model = PickyModel(generation=2)
        run = rows.run("rebuild", "client")
        assert run.status is RunStatus.FAILED
        assert a_stream(2).entity_id in run.error
        assert states(rows) == [(1, "ready", True), (2, "failed", False)]

    def test_when_the_generation_was_dropped_meanwhile(self, rows: Rows) -> None:
        rows.create_clients(5)
        run = rows.run("rebuild", "client", lambda page: rows.read_model.drop("client", 2) if page == 2 else None)
        assert run.status is RunStatus.FAILED
        assert "was dropped meanwhile" in run.error

    def test_and_the_next_one_succeeds(self, rows: Rows) -> None:
        rows.create_clients(5)
        rows.run("rebuild", "client", lambda page: rows.read_model.drop("client", 2) if page == 2 else None)
        assert rows.run("rebuild", "client").status is RunStatus.DONE
        assert len(rows.documents()) == 5


class TestOldDocument:
    """A record that can no longer be folded keeps its old document: old is better than missing."""

    def test_is_kept_of_a_record_that_cannot_be_folded(self, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
        rows.create_clients(3)
        before = rows.documents()
        monkeypatch.setattr(walking, "fold_stream", failing_on(a_stream(2)))
        run = rows.run("rebuild", "client")
        assert (run.status, run.counts["kept_old"]) == (RunStatus.DONE, 1)
        assert rows.documents() == before
        assert any(line.startswith(f"{a_stream(2)} keeps its old document.") for line in run.log)

    def test_is_kept_of_a_record_whose_events_do_not_add_up(self, rows: Rows) -> None:
        rows.create_clients(3)
        before = rows.documents()
        rows.store = ForgetfulStore(a_stream(2))
        run = rows.run("rebuild", "client")
        assert (run.status, run.counts["kept_old"]) == (RunStatus.DONE, 1)
        assert rows.documents() == before

    def test_is_counted_once_although_the_page_is_worked_on_twice(
        self, rows: Rows, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows.create_clients(4)
        monkeypatch.setattr(walking, "EVENTS_PER_BATCH", 1)
        monkeypatch.setattr(walking, "fold_stream", failing_on(a_stream(1)))
        run = rows.start("rebuild", "client")

        def die_after_the_first_record(view: RunView) -> None:
            if any("keeps its old document" in line for line in view.log):
                kill()

        with killed():
            rows.runner.work(run, die_after_the_first_record)
        rows.now += STALE
        rows.runner.sweep()
        assert rows.runs.get(run.id).counts["streams"] == 4

    def test_is_kept_of_a_record_that_cannot_be_mapped(self, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
        rows.create_clients(3)
        before = rows.documents()
        monkeypatch.setattr(walking, "document_of", unmappable(a_stream(2)))
        run = rows.run("rebuild", "client")
        assert (run.status, run.counts["kept_old"]) == (RunStatus.DONE, 1)
        assert rows.documents() == before

    def test_is_kept_of_a_record_that_was_parked_for_what_no_generation_takes(self, rows: Rows) -> None:
        rows.create_clients(3)
        rows.read_model = PickyModel()
        rows.happen(at(5, stream=a_stream(2), Name="Refused AB"))
        assert rows.head(a_stream(2)).blocked
        run = rows.run("rebuild", "client")
        assert (run.status, run.counts["kept_old"], run.counts["documents"]) == (RunStatus.DONE, 1, 2)
        assert rows.names() == ["Client 1", "Client 2", "Client 3"]


class MoodyClient(EntityDto):
    """A client with a mood."""

    name: NameText | None
    phone: Text | None
    mood: Text | None


MOODY = EntityMapping(
    source="Account",
    entity="client",
    dto=MoodyClient,
    fields=(
        *COMMON_FIELDS,
        MappedField.of("name", "Name", text),
        MappedField.of("phone", "Phone", text),
        MappedField.of("mood", "Mood__c", text),
    ),
)
