import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any, NoReturn

import pytest
from django.core.management import call_command
from pytest_django import Settings

from config import health
from config.doctor import rounds
from config.doctor.diagnosis import Check, Diagnosis, Light, amber, green, red
from config.doctor.lag import examine_backlog, examine_runs
from config.doctor.workers import SWEEP
from crm_events import selectors
from crm_events.backends import leases, runs
from crm_events.ports.runs import RunRequest, RunView
from crm_projections.ports.read_model import ReadModelUnavailableError

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def _doctor(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("doctor", *arguments, stdout=out)
    return int(stopped.value.code or 0), out.getvalue()


def _as_json() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_doctor("--json")[1])
    return found


def _only(monkeypatch: pytest.MonkeyPatch, *diagnoses: Diagnosis) -> None:
    checks = [Check("Group", "about", lambda: list(diagnoses))]
    monkeypatch.setattr(rounds, "all_checks", lambda *_: checks)


@pytest.mark.django_db(transaction=True)
def test_examines_every_part_of_the_service(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]
    found = _as_json()
    groups = {line["group"] for line in found["checks"]}
    assert groups >= {"Configuration", "Engines", "Schema", "Lag", "Workers", "Disk"}
    assert [line for line in found["checks"] if line["light"] == "red"] == []


@pytest.mark.django_db(transaction=True)
def test_shows_an_engine_that_is_down_among_all_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def down() -> NoReturn:
        raise ReadModelUnavailableError("connection refused")

    monkeypatch.setitem(health.BACKENDS, "read model", down)
    code, said = _doctor()
    assert code == 2
    assert "does not answer: ReadModelUnavailableError: connection refused. Next: see that it runs" in said
    assert re.search(r"green +Engines +event store +answers within", said)


@pytest.mark.parametrize(
    ("diagnoses", "code"),
    [
        ([green("a", "is so")], 0),
        ([green("a", "is so"), amber("b", "is odd", "look.")], 1),
        ([red("a", "is broken", "mend."), amber("b", "is odd", "look.")], 2),
    ],
)
def test_tells_programs_the_worst_light(
    diagnoses: Sequence[Diagnosis], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    _only(monkeypatch, *diagnoses)
    assert _doctor()[0] == code


def test_prints_light_fact_and_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    _only(monkeypatch, amber("lag", "changes wait", "look at the workers."))
    lines = _doctor()[1].splitlines()
    assert lines == ["▲ amber  Group  lag  changes wait. Next: look at the workers.", "0 green, 1 amber, 0 red."]


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_prints_no_secret(arguments: Sequence[str], monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://crm:data-word@db.example.com/crm")
    said = f"postgres://crm:data-word@db.example.com/crm, data-word, {settings.SECRET_KEY}"
    _only(monkeypatch, red("database", said, "mend."))
    printed = _doctor(*arguments)[1]
    assert "db.example.com" in printed
    assert "data-word" not in printed
    assert settings.SECRET_KEY not in printed


def _lights(diagnoses: Sequence[Diagnosis]) -> dict[str, Light]:
    return {line.subject: line.light for line in diagnoses}


@pytest.mark.django_db
def test_finds_a_quiet_service_without_backlog() -> None:
    assert set(_lights(examine_backlog(NOW)).values()) == {Light.GREEN}


@pytest.mark.django_db
def test_finds_the_runs_that_no_worker_takes() -> None:
    assert _lights(examine_runs(NOW)) == {"runs": Light.GREEN}
    runs().create(RunRequest("rebuild", "client", {}, "tests"), NOW)
    assert _lights(examine_runs(NOW)) == {"runs": Light.GREEN}
    assert _lights(examine_runs(NOW + timedelta(minutes=2))) == {"runs": Light.AMBER}


@pytest.mark.django_db
def test_finds_the_runs_whose_worker_fell_silent() -> None:
    run = runs().create(RunRequest("rebuild", "client", {}, "tests"), NOW)
    runs().claim(run.id, NOW + timedelta(hours=1))
    assert _lights(examine_runs(NOW + timedelta(hours=1))) == {"runs": Light.GREEN}
    assert _lights(examine_runs(NOW + timedelta(hours=2))) == {"runs": Light.AMBER}


@pytest.mark.django_db
def test_finds_no_fault_with_a_run_that_rests() -> None:
    run = _claimed(NOW)
    runs().release(run, NOW, NOW + timedelta(hours=1))
    assert _lights(examine_runs(NOW + timedelta(minutes=59))) == {"runs": Light.GREEN}
    assert _lights(examine_runs(NOW + timedelta(minutes=62))) == {"runs": Light.AMBER}


@pytest.mark.django_db
def test_finds_no_fault_with_a_run_whose_worker_also_works_others() -> None:
    run = _claimed(NOW)
    runs().release(run, NOW + timedelta(hours=1))
    assert _lights(examine_runs(NOW + timedelta(hours=1, seconds=30))) == {"runs": Light.GREEN}
    assert _lights(examine_runs(NOW + timedelta(hours=1, minutes=2))) == {"runs": Light.AMBER}


def _claimed(now: datetime) -> RunView:
    run = runs().claim(runs().create(RunRequest("backfill", "Account", {}, "tests"), now).id, now)
    assert run is not None
    return run


@pytest.mark.django_db
def test_knows_the_last_sweep_by_its_lease() -> None:
    assert selectors.last_lease(SWEEP) is None
    token = leases().take(SWEEP, timedelta(seconds=20), NOW)
    assert token is not None
    leases().give_back(SWEEP, token, NOW + timedelta(seconds=1))
    assert selectors.last_lease(SWEEP) == NOW + timedelta(seconds=1)
