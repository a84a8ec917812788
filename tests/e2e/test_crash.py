"""SIGKILL at any moment loses nothing that was accepted, and everything comes right by itself."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker

from config.databases import SQLITE_OPTIONS
from tests.e2e.expectations import Expectations, is_settled
from tests.e2e.history import History
from tests.e2e.sender import Sender
from tests.e2e.serving import ROOT, RunningService
from tests.waiting import wait_until

SEED = int(os.environ.get("CRASH_SEED", "0")) or Random().randrange(1, 10**6)  # noqa: S311  # printed when it fails
KILLS = 12
SENDERS = 3
ALIAS = "crashed"


@pytest.fixture
def service(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[RunningService]:
    """Return the service, whose database the test reads as ``ALIAS``."""
    running = RunningService(tmp_path / "var", LOG_LEVEL="WARNING", API_RATE="0", SAVED_STATE_EVERY="5")
    embedded = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "var" / "crm.sqlite3")}
    connections.settings[ALIAS] = {**connections.settings["default"], **embedded, "OPTIONS": SQLITE_OPTIONS}
    with django_db_blocker.unblock():
        yield running
        connections[ALIAS].close()
    running.__exit__()
    del connections[ALIAS]
    del connections.settings[ALIAS]


def test_nothing_accepted_is_lost_however_often_the_process_is_killed(service: RunningService) -> None:
    print(f"CRASH_SEED={SEED}")
    chance, expected = Random(SEED), Expectations()  # noqa: S311  # as above
    _kill_while_it_starts(service, chance)
    service.start()
    history = History(SEED)
    senders = [Sender(service, history, expected) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    for _ in range(KILLS):
        _kill_under_load(service, senders, chance)
        service.start()
    for sender in senders:
        sender.stop()
    wait_until(lambda: is_settled(ALIAS), timeout=60, interval=0.2)
    assert expected.differences(ALIAS) == []
    assert expected.number_of_events > 10 * KILLS
    accepted = [delivery for sender in senders for delivery in sender.accepted]
    for delivery in chance.sample(accepted, min(len(accepted), 100)):
        answer = service.request("GET", f"/api/v1/deliveries/{delivery}/").json()
        assert (answer["status"], "unreadable" in str(answer["outcomes"])) == ("projected", False)


@pytest.fixture(scope="module")
def deaths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Return what ``tests.e2e.boundaries`` says of each place it died at."""
    variables = {"DATA_DIR": str(tmp_path_factory.mktemp("deaths")), "SAVED_STATE_EVERY": "1", "LOG_LEVEL": "ERROR"}
    said = subprocess.run(
        [sys.executable, "-m", "tests.e2e.boundaries"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **variables},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return {death["place"]: death for death in map(json.loads, said.splitlines())}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "step",
    [
        "claim",
        "append",
        "append_events",
        "keep_notices",
        "report_events",
        "finish_deliveries",
        "count_outcomes",
        "_finish",
        "wake_projector",
        "pending_streams",
        "load_states",
        "read",
        "ensure_serving",
        "generations",
        "save_many",
        "publish",
        "move_watermarks",
        "resolve_streams",
        "save_states",
    ],
)
def test_a_death_at_any_step_is_made_good_by_the_next_process(
    deaths: dict[str, dict[str, Any]], when: str, step: str
) -> None:
    assert deaths[f"{when} {step}"] == {"place": f"{when} {step}", "ends": [9, 0], "wrong": []}


def _kill_while_it_starts(service: RunningService, chance: Random) -> None:
    """Kill it in the middle of its first set-up: tables, files, keys."""
    for _ in range(2):
        service.launch()
        threading.Event().wait(chance.uniform(0.5, 3))
        service.stop(signal.SIGKILL)


def _kill_under_load(service: RunningService, senders: list[Sender], chance: Random) -> None:
    before = sum(len(sender.accepted) for sender in senders)
    wanted = chance.choice((0, 1, 5, 20, 60))
    wait_until(lambda: sum(len(sender.accepted) for sender in senders) >= before + wanted, timeout=60, interval=0.005)
    service.stop(signal.SIGKILL)
