from pathlib import Path
from typing import Any

import pytest
from django.core import checks

from config.doctor import configuration
from config.doctor.configuration import (
    examine_django,
    examine_fit,
    examine_safety,
    examine_sqlite,
    examine_variables,
)
from config.doctor.diagnosis import Diagnosis, Light
from config.doctor.setup import Setup
from tests.unit.config.doctor.setups import a_setup, embedded

EVERYTHING: dict[str, Any] = {"event_store": "dynamodb", "read_model": "opensearch", "broadcaster": "eventbridge"}


def _lights(diagnoses: list[Diagnosis]) -> dict[str, Light]:
    return {diagnosis.subject: diagnosis.light for diagnosis in diagnoses}


@pytest.mark.parametrize("setup", [a_setup(), a_setup(**EVERYTHING), embedded()])
def test_has_nothing_to_say_about_a_sound_setup(setup: Setup) -> None:
    for look in (examine_variables, examine_safety, examine_fit):
        assert [diagnosis.light for diagnosis in look(setup)] == [Light.GREEN]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ALLOWED_HOST", "ALLOWED_HOSTS"),
        ("DATABASE_URI", "DATABASE_URL"),
        ("CELERY_BROKER", "CELERY_BROKER_URL"),
        ("OPENSEARCH_USER", "OPENSEARCH_USERNAME"),
        ("DYNAMODB_PREFIX", "DYNAMODB_TABLE_PREFIX"),
        ("AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
        ("secret_key", "SECRET_KEY"),
    ],
)
def test_names_the_variable_that_a_misspelt_one_was_meant_to_be(name: str, meant: str) -> None:
    (diagnosis,) = examine_variables(a_setup({name: "x"}))
    assert diagnosis.light is Light.AMBER
    assert (diagnosis.subject, f"is {meant} meant?" in diagnosis.next_step) == (f"variable {name}", True)


def test_leaves_the_variables_of_other_programs_alone() -> None:
    others = dict.fromkeys(["PATH", "HOME", "HOSTNAME", "PORTS", "PGDATA", "LANG", "KUBERNETES_PORT", "SHLVL"], "x")
    assert [diagnosis.light for diagnosis in examine_variables(a_setup(others))] == [Light.GREEN]


def test_names_variables_that_the_chosen_adapter_does_not_read() -> None:
    (diagnosis,) = examine_variables(a_setup({"OPENSEARCH_URLS": "https://search.example.com"}))
    assert (diagnosis.light, diagnosis.subject) == (Light.AMBER, "variable OPENSEARCH_URLS")
    assert "READ_MODEL=opensearch" in diagnosis.next_step


def test_lets_the_chosen_adapter_have_its_variables() -> None:
    setup = a_setup({"OPENSEARCH_URLS": "https://search.example.com"}, read_model="opensearch")
    assert [diagnosis.light for diagnosis in examine_variables(setup)] == [Light.GREEN]


def test_takes_a_name_beside_the_right_one_for_another_programs() -> None:
    both = {"DATABASE_URI": "x", "DATABASE_URL": "postgres://db.example.com/crm"}
    assert [diagnosis.light for diagnosis in examine_variables(a_setup(both))] == [Light.GREEN]


def test_takes_defaults_in_the_environment_for_no_intention() -> None:
    (diagnosis,) = examine_variables(a_setup({"OPENSEARCH_URLS": "http://127.0.0.1:9200"}))
    assert diagnosis.light is Light.GREEN


def test_says_that_no_name_was_compared_where_the_list_is_gone(tmp_path: Path) -> None:
    (diagnosis,) = examine_variables(a_setup(BASE_DIR=tmp_path))
    assert (diagnosis.light, "no name was compared" in diagnosis.fact) == (Light.AMBER, True)


@pytest.mark.parametrize(
    ("changes", "subject", "light"),
    [
        ({"DEBUG": True}, "DEBUG", Light.RED),
        ({"ALLOWED_HOSTS": ["*"]}, "ALLOWED_HOSTS", Light.AMBER),
        ({"SECRET_KEY": "short", "environment": {"SECRET_KEY": "short"}}, "SECRET_KEY", Light.AMBER),
        (
            {"read_model": "opensearch", "opensearch": {"hosts": ["http://search.example.com"]}},
            "OPENSEARCH_URLS",
            Light.RED,
        ),
    ],
)
def test_finds_values_that_let_in_too_many(changes: dict[str, Any], subject: str, light: Light) -> None:
    assert _lights(examine_safety(a_setup(**changes))) == {subject: light}


def test_lets_a_password_travel_readable_within_one_machine() -> None:
    local = a_setup(read_model="opensearch", opensearch={"hosts": ["http://127.0.0.1:9200"]})
    assert [diagnosis.light for diagnosis in examine_safety(local)] == [Light.GREEN]


@pytest.mark.parametrize(
    ("setup", "subject", "light"),
    [
        (embedded(DATABASES=a_setup().settings.DATABASES), "CELERY_BROKER_URL", Light.AMBER),
        (a_setup(DATABASES=embedded().settings.DATABASES), "DATABASE_URL", Light.AMBER),
        (a_setup(event_store="memory"), "EVENT_STORE", Light.RED),
        (a_setup(read_model="opensearch", opensearch={"password": ""}), "OPENSEARCH_AUTH", Light.RED),
        (
            a_setup(broadcaster="eventbridge", eventbridge={"max_request_bytes": 2_000_000}),
            "EVENTBRIDGE_MAX_REQUEST_BYTES",
            Light.RED,
        ),
        (
            a_setup(broadcaster="eventbridge", eventbridge={"public_url": "http://127.0.0.1:8000"}),
            "PUBLIC_URL",
            Light.AMBER,
        ),
    ],
)
def test_finds_settings_that_contradict_each_other(setup: Setup, subject: str, light: Light) -> None:
    assert _lights(examine_fit(setup)) == {subject: light}


@pytest.mark.parametrize(("version", "light"), [((3, 40, 1), Light.AMBER), ((3, 51, 3), Light.GREEN)])
def test_tells_of_the_bug_in_sqlites_log(version: tuple[int, int, int], light: Light) -> None:
    assert [diagnosis.light for diagnosis in examine_sqlite(embedded(), version)] == [light]


def test_does_not_speak_of_sqlite_where_it_is_not_used() -> None:
    assert examine_sqlite(a_setup(), (3, 40, 1)) == []


def test_runs_productions_checks_only_where_others_use_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def run_checks(*, include_deployment_checks: bool) -> list[checks.CheckMessage]:
        asked.append(include_deployment_checks)
        return []

    monkeypatch.setattr(configuration, "run_checks", run_checks)
    for setup in (embedded(), embedded(HTTPS=True), embedded(ALLOWED_HOSTS=["crm.example.com"]), a_setup()):
        assert [diagnosis.light for diagnosis in examine_django(setup)] == [Light.GREEN]
    assert asked == [False, True, True, True]


def test_translates_what_django_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [checks.Error("Broken.", hint="Mend it.", id="x.E001"), checks.Warning("Odd.", id="x.W001")]
    monkeypatch.setattr(configuration, "run_checks", lambda **_: found)
    first, second = examine_django(a_setup())
    assert first == Diagnosis("check x.E001", Light.RED, "Broken", "Mend it.")
    assert (second.subject, second.light) == ("check x.W001", Light.AMBER)


def test_tells_of_missing_https_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [checks.Warning("Odd.", id=f"security.W0{number}") for number in ("04", "08", "12", "16")]
    monkeypatch.setattr(configuration, "run_checks", lambda **_: found)
    (line,) = examine_django(a_setup())
    assert (line.light, "set HTTPS=true" in line.next_step) == (Light.AMBER, True)
