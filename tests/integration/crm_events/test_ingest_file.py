import io
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from crm_events.management import posting
from crm_events.management.senders import ServiceSender
from crm_events.models import Delivery
from tests.builders import a_change, a_stream
from tests.integration.crm_events.delivering import log_of, process
from tests.integration.crm_events.receiving import Receiver, receiving
from tests.unit.crm_events.simulator.reading import a_lived_in_org, sent


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setattr(posting, "_FIRST_PAUSE", 0.01)
    with receiving() as running:
        yield running


def write(file: Path, *lines: object) -> None:
    """Write a file; what is no text becomes JSON."""
    file.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))


def feed(file: Path | str, **options: Any) -> str:
    said = StringIO()
    call_command("ingest_file", str(file), stdout=said, **options)
    return " ".join(said.getvalue().split())


@pytest.mark.django_db
def test_brings_the_events_of_a_file_into_the_log(file: Path) -> None:
    write(file, a_change("CREATE"), [a_change(sequence=2), a_change(sequence=3)])
    assert "3 recorded They are in the log." in feed(file)
    assert len(log_of()) == 3


@pytest.mark.django_db
def test_keeps_the_text_of_an_event_as_it_stands_in_the_file(file: Path) -> None:
    text = json.dumps(a_change(fields={"Amount": 1}), indent=None).replace('"Amount": 1', '"Amount":  1.50')
    write(file, text)
    feed(file)
    assert log_of()[0].event.raw == text


@pytest.mark.django_db
def test_says_when_a_running_service_shows_the_events(file: Path) -> None:
    write(file, a_change())
    assert "A running service makes them readable within seconds" in feed(file)


@pytest.mark.django_db
def test_knows_the_events_of_a_file_that_is_fed_again(file: Path) -> None:
    write(file, a_change("CREATE"), a_change(sequence=2))
    feed(file)
    assert "2 known already" in feed(file)


@pytest.mark.django_db
def test_names_bad_lines_takes_the_others_and_fails(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(file, a_change("CREATE"), "{no", a_change(sequence=2))
    with pytest.raises(CommandError, match="Bad lines: 1") as failed:
        feed(file)
    assert failed.value.returncode == 1
    assert "Line 2: not sent. It is not JSON" in capsys.readouterr().err
    assert len(log_of()) == 2


@pytest.mark.django_db
def test_names_the_line_of_an_event_kept_as_a_dead_letter(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(file, a_change("CREATE"), {"no": "header"})
    assert "1 kept as dead letters" in feed(file)
    assert "Line 2: kept as a dead letter. The item has no ChangeEventHeader." in capsys.readouterr().err


@pytest.mark.django_db
def test_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(json.dumps(a_change()).encode())))
    assert "1 recorded" in feed("-")


@pytest.mark.django_db
def test_has_nothing_to_do_for_an_empty_file(file: Path) -> None:
    write(file)
    assert feed(file) == "No events."
    assert not Delivery.objects.exists()


@pytest.mark.django_db
def test_makes_a_delivery_of_so_many_events(file: Path) -> None:
    write(file, *(a_change(sequence=n, stream=a_stream(n)) for n in range(5)))
    feed(file, batch=2)
    assert sorted(Delivery.objects.values_list("item_count", flat=True)) == [1, 2, 2]


@pytest.mark.django_db
def test_counts_a_delivery_that_a_running_server_brought_in(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(file, a_change())
    ask = ServiceSender.outcomes

    def brought_in_first(sender: ServiceSender, delivery_id: str) -> Any:
        process(now=datetime.now(UTC))
        return ask(sender, delivery_id)

    monkeypatch.setattr(ServiceSender, "outcomes", brought_in_first)
    assert "1 recorded" in feed(file)


@pytest.mark.django_db
def test_takes_the_whole_history_of_an_org(file: Path) -> None:
    write(file, *sent(a_lived_in_org(10, reorder=0.05)))
    assert "recorded, though newer changes of the record came before" in feed(file)
    assert not Delivery.objects.exclude(status=Delivery.Status.RECORDED).exists()


def test_posts_to_a_service_at_an_address(receiver: Receiver, file: Path) -> None:
    write(file, a_change("CREATE"), a_change(sequence=2))
    said = feed(file, url=receiver.url, key="a-key")
    assert said == "2 recorded"
    assert receiver.keys == {"Bearer a-key"}
    assert [len(body) for body in receiver.bodies] == [2]


def test_finds_the_event_that_the_service_refuses(
    receiver: Receiver, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(file, a_change("CREATE"), a_change(sequence=2))
    receiver.answers = [(413, {}), (413, {})]
    with pytest.raises(CommandError, match="Bad lines: 1"):
        feed(file, url=receiver.url, key="a-key")
    assert "Line 1: not sent. It is not taken." in capsys.readouterr().err
    assert [len(body) for body in receiver.bodies] == [1]


def test_ends_when_the_key_is_wrong(receiver: Receiver, file: Path) -> None:
    write(file, a_change())
    receiver.answers = [(403, {})]
    with pytest.raises(CommandError, match="refused with status 403: It is not taken"):
        feed(file, url=receiver.url, key="a-key")


def test_follows_no_redirect(receiver: Receiver, file: Path) -> None:
    write(file, a_change())
    receiver.answers = [(301, {"Location": "https://elsewhere.example/"})]
    with pytest.raises(CommandError, match="sends us on to https://elsewhere"):
        feed(file, url=receiver.url, key="a-key")


def test_says_what_to_do_when_the_database_is_down(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: object) -> str:
        raise OperationalError("no connection")

    write(file, a_change())
    monkeypatch.setattr(ServiceSender, "send", down)
    with pytest.raises(CommandError, match=r"A database does not answer: no connection.*again is harmless"):
        feed(file)


def test_says_when_it_was_stopped(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> str:
        raise KeyboardInterrupt

    write(file, a_change())
    monkeypatch.setattr(ServiceSender, "send", stopped)
    with pytest.raises(CommandError, match="Stopped"):
        feed(file)


def test_says_when_there_is_no_such_file(file: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read: No such file or directory"):
        feed(file)


@pytest.mark.parametrize("options", [{"batch": 0}, {"url": "ftp://127.0.0.1"}, {"url": "127.0.0.1:8000"}])
def test_refuses_what_makes_no_sense(file: Path, options: dict[str, Any]) -> None:
    write(file)
    with pytest.raises(CommandError):
        feed(file, **options)
