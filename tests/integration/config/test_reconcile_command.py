import io
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from crm_events.adapters.memory_source import MemoryCrmSource
from crm_events.backends import event_store
from crm_events.ports.crm_source import SourceRefusedError
from crm_events.services.appending import append_events
from tests.builders import a_new_event, a_stream, an_id
from tests.integration.config.sources import at_once
from tests.integration.crm_events.delivering import NOW

pytestmark = pytest.mark.django_db
Say = Callable[..., tuple[int, str]]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Run the command and return its exit status and all it printed, on one line."""

    def run(*arguments: str) -> tuple[int, str]:
        out = io.StringIO()
        try:
            call_command("reconcile", *arguments, stdout=out, stderr=out)
            status = 0
        except SystemExit as end:
            status = int(str(end.code))
        return status, re.sub(r"\s+", " ", capsys.readouterr().out + out.getvalue())

    return run


@pytest.fixture
def agreed(source: MemoryCrmSource) -> MemoryCrmSource:
    """Return a Salesforce whose one record the log has too."""
    source.put("Account", {"Id": an_id(), "Name": "Client 1"})
    row = source.row("Account", an_id())
    system = {name: row[name] for name in ("CreatedDate", "LastModifiedDate")}
    at = int(source.now.timestamp() * 1000)
    append_events(event_store(), [a_new_event("CREATE", {"Name": "Client 1", **system}, timestamp=at)], NOW)
    at_once()
    source.now += timedelta(hours=1)
    return source


@pytest.mark.usefixtures("agreed")
class TestReconcile:
    def test_ends_with_0_where_nothing_differs(self, say: Say) -> None:
        status, printed = say("client", "--check", "ids", "--check", "sample", "--check", "documents")
        assert status == 0
        assert "3 checks, no difference." in printed

    def test_ends_with_1_on_drift_and_says_what_it_was(self, say: Say, agreed: MemoryCrmSource) -> None:
        agreed.erase("Account", an_id())
        status, printed = say("client", "--check", "ids")
        assert status == 1
        assert f"{a_stream()} hard delete deleted The record is gone for good" in printed

    def test_mends_so_that_the_next_one_finds_nothing(self, say: Say, agreed: MemoryCrmSource) -> None:
        agreed.erase("Account", an_id())
        say("client", "--check", "ids")
        assert say("client", "--check", "ids")[0] == 0

    def test_only_reports_without_repair(self, say: Say, agreed: MemoryCrmSource) -> None:
        agreed.erase("Account", an_id())
        assert say("client", "--check", "ids", "--no-repair")[0] == 1
        assert say("client", "--check", "ids", "--no-repair")[0] == 1

    def test_ends_with_2_if_a_check_could_not_be_done(self, say: Say, agreed: MemoryCrmSource) -> None:
        agreed.fail("describe", SourceRefusedError("INVALID_TYPE", "No such object."))
        status, printed = say("client", "--check", "sample")
        assert status == 2
        assert "Next:" in printed


def test_names_the_objects_it_knows() -> None:
    with pytest.raises(CommandError, match="is the name of no object"):
        call_command("reconcile", "no such name")


def test_leaves_salesforce_out_where_no_source_is_set_up(say: Say) -> None:
    status, printed = say()
    assert status == 0
    assert "nothing is compared with Salesforce (CRM_SOURCE)" in printed
    assert "2 checks, no difference." in printed
