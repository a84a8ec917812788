import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.management import CommandError, call_command

from crm_events.simulator.org import SimulatedOrg
from tests.integration.crm_events.receiving import Receiver, receiving
from tests.unit.crm_events.simulator.reading import events, folded, known, parsed, records, told
from tests.waiting import wait_until

ACCOUNTS = 10


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "simulator"


def run(receiver: Receiver, folder: Path, until: Callable[[str], object], **options: Any) -> str:
    """Run the command until what it said and where it answers make the condition true, then stop it by a signal."""
    said = StringIO()
    failed: list[AssertionError] = []

    def stop_then() -> None:
        try:
            wait_until(lambda: until(said.getvalue()), timeout=60)
        except AssertionError as error:
            failed.append(error)
        os.kill(os.getpid(), signal.SIGTERM)

    stopper = threading.Thread(target=stop_then)
    stopper.start()
    arguments = {"url": receiver.url, "key": "a-key", "data": folder, "accounts": ACCOUNTS, "port": 0, "rate": 0}
    call_command("simulator", stdout=said, **{**arguments, **options})
    stopper.join()
    assert not failed, said.getvalue()
    return said.getvalue()


def address(said: str) -> str:
    return said.partition("answers at ")[2].partition(",")[0]


def keys(receiver: Receiver) -> list[str]:
    """Return what tells events of the relay apart, as one text each."""
    headers = [event["detail"]["payload"]["ChangeEventHeader"] for event in receiver.events]
    return [f"{header['transactionKey']} {header['sequenceNumber']}" for header in headers]


def is_live(said: str) -> bool:
    return "changes a minute" in said


def test_sends_the_whole_history_through_the_forwarder(receiver: Receiver, folder: Path) -> None:
    said = run(receiver, folder, is_live, no_flaws=True)
    assert f"sending {len(receiver.events):,} events of the last 90 days" in said
    assert receiver.keys == {"Bearer a-key"}
    org = SimulatedOrg(folder / "org.sqlite3")
    states = folded(events(parsed([json.dumps(receiver.events)])))
    for stream, record in records(org).items():
        if not states[stream].is_dirty and stream.entity_name == "Contact":
            assert known("Contact", states[stream]) == told(record)
    org.close()


def test_sends_a_new_org_s_events_with_a_few_flaws(receiver: Receiver, folder: Path) -> None:
    run(receiver, folder, is_live, accounts=40)
    shapes = {"detail" in event and "payload" in event["detail"] for event in receiver.events}
    assert shapes == {True, False}


def test_loads_the_history_only_once(receiver: Receiver, folder: Path) -> None:
    run(receiver, folder, is_live, no_flaws=True)
    sent = len(receiver.events)
    run(receiver, folder, is_live)
    assert len(receiver.events) == sent


def test_goes_on_where_it_was_stopped(receiver: Receiver, folder: Path) -> None:
    run(receiver, folder, address, no_flaws=True)
    # It is live before all that waited is sent: more than the first batch has to arrive.
    run(receiver, folder, lambda said: is_live(said) and len(receiver.events) > 100)
    sent = keys(receiver)
    assert len(set(sent)) == len(sent) > 100


def test_lets_people_work_at_the_pace_it_is_told(receiver: Receiver, folder: Path) -> None:
    run(receiver, folder, is_live, no_flaws=True)
    sent = len(receiver.events)
    run(receiver, folder, lambda _: len(receiver.events) >= sent + 20, rate=6_000)


def test_sends_a_change_that_somebody_makes(receiver: Receiver, folder: Path) -> None:
    def changed(said: str) -> bool:
        if is_live(said) and not receiver.bodies:
            requests.post(f"{address(said)}/simulator/api/advance", json={"transactions": 1}, timeout=10)
        return bool(receiver.events)

    run(receiver, folder, changed, accounts=0)


def test_answers_without_a_service(receiver: Receiver, folder: Path) -> None:
    said = run(receiver, folder, is_live, silent=True, url="", key="")
    assert not receiver.bodies
    assert "events of the last 90 days" not in said


def test_puts_back_what_signals_did_before(receiver: Receiver, folder: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    run(receiver, folder, is_live, accounts=0)
    assert signal.getsignal(signal.SIGTERM) is before


def test_says_that_its_port_is_taken(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=r"Cannot listen on 127.0.0.1, port .*\. Next: choose another"):
            call_command("simulator", url="http://127.0.0.1:9", key="a-key", data=folder, port=port)


@pytest.mark.parametrize("options", [{"accounts": -1}, {"rate": -1}, {"rate": float("nan")}, {"url": "localhost"}])
def test_refuses_what_makes_no_sense(folder: Path, options: dict[str, Any]) -> None:
    arguments = {"url": "http://127.0.0.1:9", "key": "a-key", "data": folder, "port": 0, **options}
    with pytest.raises(CommandError):
        call_command("simulator", **arguments)
    assert not folder.exists()


def test_leaves_the_org_of_another_simulator_alone(receiver: Receiver, folder: Path) -> None:
    errors: list[str] = []

    def second(said: str) -> bool:
        if is_live(said):
            try:
                call_command("simulator", url=receiver.url, key="a-key", data=folder, port=0)
            except (CommandError, ValueError) as error:
                errors.append(str(error))
        return bool(errors)

    run(receiver, folder, second, accounts=0)
    assert "Another simulator works in" in errors[0]
