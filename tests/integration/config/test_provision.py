from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import OperationalError

from config import provisioning
from config.management.commands import provision
from crm_events.ports.event_store import EventStoreUnavailableError
from crm_events.ports.provisioning import Condition, Finding, Provisioned

pytestmark = pytest.mark.django_db


@dataclass
class TablesStore(Provisioned):
    """An adapter whose engine has some things and lacks others; ``provision`` makes what is missing."""

    conditions: dict[str, Condition] = field(default_factory=lambda: {"table a": Condition.READY})

    def verify(self) -> list[Finding]:
        return [Finding(subject, condition, "as it stands") for subject, condition in self.conditions.items()]

    def provision(self) -> list[Finding]:
        made = [name for name, condition in self.conditions.items() if condition is Condition.MISSING]
        findings = [
            Finding(name, Condition.CREATED if name in made else self.conditions[name]) for name in self.conditions
        ]
        self.conditions.update(dict.fromkeys(made, Condition.READY))
        return findings


def _provision(monkeypatch: pytest.MonkeyPatch, store: Callable[[], object], *arguments: str) -> tuple[int, str]:
    monkeypatch.setattr(provisioning, "ADAPTERS", {**provisioning.ADAPTERS, "event store": store})
    out = StringIO()
    try:
        call_command("provision", *arguments, stdout=out)
    except SystemExit as stopped:
        return int(stopped.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_is_content_with_adapters_whose_tables_migrate_makes() -> None:
    out = StringIO()
    call_command("provision", "--check", stdout=out)
    assert "event store (SQLEventStore)" in out.getvalue()
    assert "Everything is as it must be." in out.getvalue()


def test_checks_without_changing_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    store = TablesStore({"table a": Condition.READY, "table b": Condition.MISSING})
    code, said = _provision(monkeypatch, lambda: store, "--check")
    assert (code, store.conditions["table b"]) == (1, Condition.MISSING)
    assert "Nothing was changed, 1 missing or different." in said


def test_makes_what_is_missing_and_finds_it_made_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    store = TablesStore({"table a": Condition.READY, "table b": Condition.MISSING})
    code, said = _provision(monkeypatch, lambda: store)
    assert (code, "1 made or changed. Everything is as it must be." in said) == (0, True)
    assert [line.split()[-1] for line in said.splitlines() if "table b" in line] == ["created"]
    assert _provision(monkeypatch, lambda: store)[1].endswith("Nothing was changed. Everything is as it must be.\n")


def test_fails_where_something_differs_that_it_cannot_change(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _provision(monkeypatch, lambda: TablesStore({"table a": Condition.DIFFERENT}))[0] == 1


def test_takes_what_an_endpoint_lacks_for_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _provision(monkeypatch, lambda: TablesStore({"backups": Condition.UNSUPPORTED}))[0] == 0


def test_goes_on_to_the_others_where_one_engine_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> object:
        raise EventStoreUnavailableError("nobody listens")

    code, said = _provision(monkeypatch, away)
    assert code == 1
    assert "EventStoreUnavailableError: nobody listens" in said
    assert "broadcaster (OutboxBroadcaster)" in said
    assert "1 without an answer" in said


def test_waits_for_an_engine_that_does_not_answer_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provision, "_PAUSE_SECONDS", 0)
    answers: Iterator[object] = iter([EventStoreUnavailableError("starting"), TablesStore()])

    def starting() -> object:
        answer = next(answers)
        if isinstance(answer, EventStoreUnavailableError):
            raise answer
        return answer

    assert _provision(monkeypatch, starting, "--wait", "30")[0] == 0


def test_waits_no_longer_than_it_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provision, "_PAUSE_SECONDS", 0)

    def away() -> object:
        raise EventStoreUnavailableError("nobody listens")

    assert _provision(monkeypatch, away, "--wait", "0.05")[0] == 1


def test_names_the_migrations_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = {"crm_events": ["0001_initial", "0002_more"], "crm_api": ["0001_initial"]}
    monkeypatch.setattr(provisioning, "unapplied_migrations", lambda: waiting)
    code, said = _provision(monkeypatch, TablesStore)
    assert code == 1
    assert "not applied: 2, 0001_initial to 0002_more. Next: manage.py migrate" in said


def test_says_when_the_database_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> dict[str, list[str]]:
        raise OperationalError("connection refused")

    monkeypatch.setattr(provisioning, "unapplied_migrations", away)
    code, said = _provision(monkeypatch, TablesStore)
    assert (code, "OperationalError: connection refused" in said) == (1, True)


@pytest.mark.django_db(transaction=True)
def test_finds_the_migrations_that_were_taken_back() -> None:
    call_command("migrate", "crm_projections_sql", "zero", verbosity=0)
    try:
        assert provisioning.unapplied_migrations() == {"crm_projections_sql": ["0001_initial"]}
    finally:
        call_command("migrate", verbosity=0)
    assert provisioning.unapplied_migrations() == {}
