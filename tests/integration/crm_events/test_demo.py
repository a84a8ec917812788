import os
import signal
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from crm_events.demo import DemoOrg
from crm_events.management import posting
from crm_events.management.demo_progress import DemoProgress
from tests.integration.crm_events.receiving import Receiver, receiving


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setattr(posting, "_FIRST_PAUSE", 0.01)
    with receiving() as running:
        yield running


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "demo-loaded"


def run_demo(receiver: Receiver, marker: Path, **options: Any) -> str:
    said = StringIO()
    arguments = {"url": receiver.url, "key": "a-key", "marker": marker, "accounts": 10, **options}
    call_command("demo", stdout=said, **arguments)
    return said.getvalue()


def load(receiver: Receiver, marker: Path) -> str:
    return run_demo(receiver, marker, once=True)


def stop_after(receiver: Receiver, posts: int) -> None:
    """Send this process the signal that ends the command, with the answer to that post."""
    receiver.on_post = lambda taken: os.kill(os.getpid(), signal.SIGTERM) if taken == posts else None


def progress_in(marker: Path) -> DemoProgress:
    progress = DemoProgress.read(marker)
    assert progress is not None
    return progress


def keys_of(events: list[dict[str, Any]]) -> list[str]:
    """Return what tells changes apart, as one text each: transaction, number, records."""
    headers = [event.get("detail", event).get("payload", {}).get("ChangeEventHeader", {}) for event in events]
    return [f"{header.get('transactionKey')} {header.get('sequenceNumber')}" for header in headers]


def history_in(marker: Path) -> list[dict[str, Any]]:
    progress = progress_in(marker)
    return list(DemoOrg(progress.seed, progress.base, progress.accounts).history())


def test_posts_the_whole_history_with_the_key(receiver: Receiver, marker: Path) -> None:
    load(receiver, marker)
    assert keys_of(receiver.events) == keys_of(history_in(marker))
    assert receiver.keys == {"Bearer a-key"}


def test_posts_a_hundred_events_at_a_time_over_one_connection(receiver: Receiver, marker: Path) -> None:
    load(receiver, marker)
    assert {len(body) for body in receiver.bodies[:-1]} == {100}
    assert len(receiver.connections) == 1


def test_says_how_it_went(receiver: Receiver, marker: Path) -> None:
    said = load(receiver, marker)
    assert f"all {len(receiver.events):,} events sent" in said
    assert f"{len(receiver.events):,} recorded" in said


def test_loads_the_history_only_once(receiver: Receiver, marker: Path) -> None:
    load(receiver, marker)
    posts = len(receiver.bodies)
    load(receiver, marker)
    assert len(receiver.bodies) == posts


def test_goes_on_where_a_load_was_stopped(receiver: Receiver, marker: Path) -> None:
    stop_after(receiver, 1)
    assert "The demo stopped" in load(receiver, marker)
    assert len(receiver.bodies) == 1
    load(receiver, marker)
    assert keys_of(receiver.events) == keys_of(history_in(marker))


def test_waits_until_the_service_is_ready(receiver: Receiver, marker: Path) -> None:
    receiver.not_ready = 3
    load(receiver, marker)
    assert receiver.not_ready < 0
    assert receiver.bodies


@pytest.mark.parametrize("status", [429, 503])
def test_sends_again_what_a_busy_service_did_not_take(receiver: Receiver, marker: Path, status: int) -> None:
    receiver.answers = [(status, {"Retry-After": "0"})] * 3
    load(receiver, marker)
    assert keys_of(receiver.events) == keys_of(history_in(marker))


def test_waits_as_long_as_it_is_told(receiver: Receiver, marker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(posting.EventPoster, "pause", lambda _, seconds: waits.append(seconds))
    receiver.answers = [(503, {"Retry-After": "7"})]
    load(receiver, marker)
    assert waits == [7.0]


def test_sends_live_changes_until_it_is_stopped(receiver: Receiver, marker: Path) -> None:
    load(receiver, marker)
    history = len(receiver.bodies)
    stop_after(receiver, history + 5)
    assert "The demo stopped" in run_demo(receiver, marker, rate=6_000)
    assert len(receiver.bodies) == history + 5


def test_goes_on_with_the_same_org_after_a_restart(receiver: Receiver, marker: Path) -> None:
    load(receiver, marker)
    history = len(receiver.bodies)
    for posts in (5, 10):
        stop_after(receiver, history + posts)
        run_demo(receiver, marker, rate=6_000)
    progress = progress_in(marker)
    org = DemoOrg(progress.seed, progress.base, progress.accounts)
    again = [event for moment in progress.past_moments() for event in org.trickle(moment)]
    sent = [event for body in receiver.bodies[history:] for event in body]
    assert keys_of(sent) == keys_of(again)


def test_puts_back_what_signals_did_before(receiver: Receiver, marker: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    load(receiver, marker)
    assert signal.getsignal(signal.SIGTERM) is before


def test_ends_when_the_key_is_wrong(receiver: Receiver, marker: Path) -> None:
    receiver.answers = [(401, {})]
    with pytest.raises(CommandError, match="refused with status 401: It is not taken"):
        load(receiver, marker)


def test_gives_up_on_a_service_that_never_answers(marker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting.EventPoster.__init__, "__defaults__", (0.1,))
    nobody = Receiver()
    nobody.url = "http://127.0.0.1:9"
    with pytest.raises(CommandError, match=r"no connection\. Next: see that the service runs there"):
        load(nobody, marker)


def test_leaves_a_file_alone_that_is_not_its_own(receiver: Receiver, marker: Path) -> None:
    marker.write_text("my notes")
    with pytest.raises(CommandError, match="is not the progress file of a demo load"):
        load(receiver, marker)
    assert marker.read_text() == "my notes"


@pytest.mark.parametrize("options", [{"accounts": 0}, {"rate": 0}, {"rate": float("nan")}, {"url": "localhost:8000"}])
def test_refuses_what_makes_no_sense(receiver: Receiver, marker: Path, options: dict[str, Any]) -> None:
    with pytest.raises(CommandError):
        run_demo(receiver, marker, **options)
    assert not receiver.bodies


def test_reads_the_key_from_its_file(receiver: Receiver, marker: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("another-key\n")
    run_demo(receiver, marker, once=True, key="", key_file=tmp_path / "key")
    assert receiver.keys == {"Bearer another-key"}


@pytest.mark.parametrize("text", ["", "two words", '{"key": "a"}'])
def test_says_when_a_key_file_holds_no_key(receiver: Receiver, marker: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "key").write_text(text)
    with pytest.raises(CommandError, match="must hold one key and nothing else"):
        run_demo(receiver, marker, key="", key_file=tmp_path / "key")
