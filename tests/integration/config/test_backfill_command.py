import io
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from crm_events.adapters.memory_source import MemoryCrmSource
from crm_events.backends import crm_source, event_store, runs
from crm_events.ports.crm_source import SourceAccessError
from crm_events.ports.runs import RunQuery, RunStatus
from tests.builders import a_stream, an_id

pytestmark = pytest.mark.django_db
Say = Callable[..., str]


@pytest.fixture(autouse=True)
def rows(source: MemoryCrmSource) -> None:
    source.put("Account", *[{"Id": an_id(n), "Name": f"Client {n}"} for n in (1, 2, 3)])


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Run the command and return all it printed, on one line."""

    def run(*arguments: str) -> str:
        call_command("backfill", *arguments, stdout=(out := io.StringIO()))
        return re.sub(r"\s+", " ", capsys.readouterr().out + out.getvalue())

    return run


class TestBackfillCommand:
    @pytest.mark.parametrize("name", ["client", "Account"])
    def test_says_what_it_takes_and_what_it_did(self, say: Say, name: str) -> None:
        printed = say(name)
        assert "3 rows by REST, about 3 calls of Salesforce, no backfill was measured yet" in printed
        assert "3 rows read 3 records brought up to date 0 rows that say nothing new" in printed

    def test_brings_the_rows_into_the_log(self, say: Say) -> None:
        say("client")
        assert len(event_store().heads([a_stream(n) for n in (1, 2, 3)])) == 3

    def test_writes_nothing_in_a_dry_run(self, say: Say) -> None:
        assert "3 records would be brought up to date" in say("client", "--dry-run")
        assert event_store().heads([a_stream()]) == {}

    def test_reads_only_what_it_is_told_to(self, say: Say) -> None:
        assert "1 rows read" in say("client", "--where", "Name = 'Client 2'")
        assert "2 rows read" in say("client", "--ids", f"{an_id(1)[:15]}, {an_id(3)}")

    def test_waits_for_a_bulk_job_in_the_terminal(
        self, say: Say, source: MemoryCrmSource, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("crm_events.services.backfill._POLL", timedelta(0))
        source.job_polls = 2
        assert "3 rows read" in say("client", "--mode", "bulk")

    def test_keeps_who_and_why(self, say: Say) -> None:
        say("client", "--reason", "a new field")
        (run,) = runs().find(RunQuery(kinds=["backfill"]))
        assert (run.status, run.reason, run.target) == (RunStatus.DONE, "a new field", "Account")


class TestRefusal:
    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (("no such name",), "“no such name” is the name of no object. Next: name one of client, contact"),
            (("client", "--since", "yesterday"), "is no date or time such as"),
            (("client", "--ids", "x"), "is no Salesforce record id"),
            (("client", "--where", "Name ="), "Salesforce could not be asked"),
        ],
    )
    def test_says_what_is_wrong_and_what_to_do(self, arguments: tuple[str, ...], words: str) -> None:
        with pytest.raises(CommandError, match=words):
            call_command("backfill", *arguments)

    def test_names_what_to_set_up_without_a_source(self, settings: object) -> None:
        settings.CRM_SOURCE = None  # type: ignore[attr-defined]
        crm_source.cache_clear()
        with pytest.raises(CommandError, match=r"no source is set up\. Set CRM_SOURCE=salesforce"):
            call_command("backfill", "client")

    def test_says_when_salesforce_does_not_let_us_in(self, source: MemoryCrmSource) -> None:
        source.fail("count", SourceAccessError("invalid_grant", "The user is inactive"))
        with pytest.raises(CommandError, match=r"The user is inactive.*Next: run manage\.py doctor"):
            call_command("backfill", "client")
