"""``manage.py rebuild`` and ``manage.py replay``: what they print, and how they refuse."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from crm_events.models import Run
from crm_projections import entry
from crm_projections.management.commands import replay
from crm_projections.services import walking
from tests.builders import a_stream
from tests.integration.crm_projections.rows import Rows, press_ctrl_c

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_own_adapters")]


@pytest.fixture(autouse=True)
def _wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def rows() -> Rows:
    found = Rows()
    found.create_clients(3)
    return found


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Any:
    """Return a function that runs a command and returns what it printed."""

    def said(*arguments: str) -> str:
        call_command(*arguments)
        return capsys.readouterr().out

    return said


def numbers(rows: Rows) -> list[tuple[int, bool]]:
    return [(generation.number, generation.serves) for generation in rows.read_model.generations("client")]


class TestRebuild:
    @pytest.mark.parametrize("name", ["client", "Account"])
    def test_prints_progress_comparison_and_counts(self, rows: Rows, say: Any, name: str) -> None:
        printed = say("rebuild", name)
        for words in ("3/3 records", "3 the same", "Generation 2 serves", "3  records read", "3  documents written"):
            assert words in printed
        assert numbers(rows) == [(1, False), (2, True)]

    def test_refuses_what_is_no_entity(self) -> None:
        with pytest.raises(CommandError, match=r"no entity “unicorn”\. Next: name one of client, contact"):
            call_command("rebuild", "unicorn")

    def test_lets_the_old_generation_serve_again(self, rows: Rows, say: Any) -> None:
        say("rebuild", "client")
        assert "Generation 1 of client serves again." in say("rebuild", "client", "--back")
        assert numbers(rows) == [(1, True), (2, False)]

    @pytest.mark.usefixtures("rows")
    def test_has_no_way_back_without_an_old_one(self) -> None:
        with pytest.raises(CommandError, match="one generation only"):
            call_command("rebuild", "client", "--back")

    def test_does_not_go_back_to_one_that_is_not_complete(self, rows: Rows) -> None:
        rows.start("rebuild", "client")
        with pytest.raises(KeyboardInterrupt):
            rows.run("rebuild", "client", press_ctrl_c)
        with pytest.raises(CommandError, match="not complete"):
            call_command("rebuild", "client", "--back")

    def test_drops_what_does_not_serve(self, rows: Rows, say: Any) -> None:
        say("rebuild", "client")
        assert "Dropped 1 generation(s) of client." in say("rebuild", "client", "--drop-old")
        assert numbers(rows) == [(2, True)]

    def test_keeps_who_and_why(self, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LOGNAME", "ada")
        call_command("rebuild", "client", "--reason", "a new field")
        kept = Run.objects.values_list("started_by", "reason", "status")
        assert list(kept) == [("ada", "a new field", "done")]


class TestReplay:
    @pytest.mark.parametrize("target", ["client", "Account", ""])
    def test_prints_what_it_did(self, rows: Rows, say: Any, target: str) -> None:
        rows.spoil(a_stream(2))
        printed = say("replay", target)
        for words in ("3/3 records", "3  records read", "1  documents changed", "2  documents the same"):
            assert words in printed
        assert rows.names()[1] == "Client 2"

    def test_prints_what_it_would_do(self, rows: Rows, say: Any) -> None:
        rows.spoil(a_stream(2))
        assert "1  documents would be changed" in say("replay", "client", "--dry-run")
        assert rows.names()[1] == "wrong"

    @pytest.mark.parametrize("name", ["client", "Account"])
    @pytest.mark.parametrize("length", [15, 18])
    def test_takes_one_record(self, rows: Rows, say: Any, name: str, length: int) -> None:
        for number in (1, 2):
            rows.spoil(a_stream(number))
        say("replay", f"{name}#{a_stream(2).entity_id[:length]}")
        assert rows.names() == ["wrong", "Client 2", "Client 3"]

    def test_counts_messages_when_it_broadcasts(self, rows: Rows, say: Any) -> None:
        assert "3  messages sent" in say("replay", "client", "--broadcast")
        assert len(rows.messages()) == 6

    @pytest.mark.usefixtures("rows")
    @pytest.mark.parametrize(
        ("target", "words"),
        [
            ("unicorn", "no record of “unicorn”. Next: name one of its objects: Account"),
            ("lead", "no record of “lead”"),
            ("client#nonsense", "no Salesforce record id"),
            ("#", "no Salesforce record id"),
            (f"client#{a_stream(9).entity_id}", "has no record Account#"),
        ],
    )
    def test_refuses_what_the_log_does_not_have(self, target: str, words: str) -> None:
        with pytest.raises(CommandError, match=words):
            call_command("replay", target)


class TestInterrupted:
    @pytest.fixture
    def paused(self, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> Rows:
        """Return rows with a replay that Ctrl-C stopped after its first page."""
        monkeypatch.setattr(walking, "PAGE", 1)
        with monkeypatch.context() as patch:
            patch.setattr(replay, "runner", lambda: _Interrupted(rows))
            with pytest.raises(CommandError, match=r"Paused\. What is done is kept\. Next: run the same"):
                call_command("replay", "client")
        return rows

    def test_goes_on_when_called_again(self, paused: Rows, say: Any) -> None:
        printed = say("replay", "client")
        assert "Continuing run" in printed
        assert "3  records read" in printed

    def test_begins_anew_when_called_otherwise(self, paused: Rows, say: Any) -> None:
        assert "Continuing" not in say("replay", "client", "--dry-run")

    def test_is_refused_while_somebody_works_on_it(self, rows: Rows) -> None:
        rows.now = timezone.now()
        rows.start("rebuild", "client")
        with pytest.raises(CommandError, match="is being worked on right now"):
            call_command("rebuild", "client")

    @pytest.mark.usefixtures("rows")
    def test_says_how_a_run_failed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(walking.StreamWalker, "fold", _fails)
        with pytest.raises(CommandError, match=r"ended as failed\. ZeroDivisionError: our mistake\. Next:"):
            call_command("replay", "client")


def _fails(*_: object) -> None:
    raise ZeroDivisionError("our mistake")


class _Interrupted:
    """A runner in whose first page somebody presses Ctrl-C."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def work(self, run: Any, on_progress: Any, wait: Any = None) -> Any:
        def progressed(view: Any) -> None:
            on_progress(view)
            if view.cursor is not None:
                press_ctrl_c()

        return entry.runner().work(run, progressed)
