import re
import subprocess
from typing import Any
from urllib.parse import urlsplit

import pytest

from config.variables import AWS_VARIABLES, documented_variables
from tests.e2e.composition import read_composition, variables_of
from tests.e2e.image import ROOT

SECRETS = {"SECRET_KEY": "a-secret-key", "POSTGRES_PASSWORD": "a-password"}
COMPOSITION = read_composition(SECRETS)
SERVICES: dict[str, Any] = COMPOSITION["services"]
OWN = sorted(name for name, service in SERVICES.items() if "build" in service)
ENGINES = sorted(set(SERVICES) - set(OWN))
# compose's own, which no container sees; docs/operations.md has them.
OF_COMPOSE = {"VERSION", "POSTGRES_PASSWORD", "INGEST_PROCESSES", "PROJECT_PROCESSES"}


def test_has_a_service_for_each_process_and_engine() -> None:
    assert OWN == ["beat", "migrate", "web", "worker-bulk", "worker-ingest", "worker-project"]
    assert ENGINES == ["dynamodb", "opensearch", "postgres", "redis"]


@pytest.mark.parametrize("name", SERVICES)
def test_waits_for_services_that_exist_by_conditions_that_they_can_meet(name: str) -> None:
    for other, wanted in SERVICES[name].get("depends_on", {}).items():
        if wanted["condition"] == "service_healthy":
            assert "test" in SERVICES[other]["healthcheck"]
        else:
            assert (wanted["condition"], SERVICES[other]["restart"]) == ("service_completed_successfully", "no")


def test_starts_nothing_before_tables_are_made() -> None:
    assert sorted(SERVICES["migrate"]["depends_on"]) == ENGINES
    assert [name for name in OWN if name != "migrate" and set(SERVICES[name]["depends_on"]) != {"migrate"}] == []


@pytest.mark.parametrize("name", ENGINES)
def test_pins_every_engine_to_a_version(name: str) -> None:
    assert re.fullmatch(r"[\w./-]+:\d+\.\d+(\.\d+)?[\w.-]*", SERVICES[name]["image"])


@pytest.mark.parametrize("name", SERVICES)
def test_gives_no_container_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert not {"privileged", "network_mode", "pid", "ipc", "devices"} & set(service)
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not [volume for volume in service.get("volumes", []) if volume.startswith(("/", ".", "~"))]


@pytest.mark.parametrize("name", OWN)
def test_runs_the_image_as_its_user_on_files_that_cannot_change(name: str) -> None:
    service = SERVICES[name]
    assert (service["user"], service["read_only"], service["cap_drop"]) == ("10001:10001", True, ["ALL"])


def test_is_reached_through_the_web_server_of_this_machine_alone() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"web": ["127.0.0.1:8000:8000"]}
    assert COMPOSITION["networks"]["engines"] == {"internal": True}
    assert {name for name in ENGINES if SERVICES[name]["networks"] != ["engines"]} == set()


@pytest.mark.parametrize("name", SERVICES)
def test_says_for_each_service_how_its_health_is_seen_and_when_it_is_started_again(name: str) -> None:
    service = SERVICES[name]
    one_time = name == "migrate"
    assert service["restart"] == ("no" if one_time else "unless-stopped")
    assert service["healthcheck"] == {"disable": True} if one_time else "test" in service["healthcheck"]


@pytest.mark.parametrize("name", OWN)
def test_sets_variables_that_the_service_reads(name: str) -> None:
    known = set(documented_variables(ROOT / ".env.example")) | AWS_VARIABLES
    assert set(SERVICES[name]["environment"]) - known == set()


def test_asks_its_user_for_variables_that_are_documented() -> None:
    known = set(documented_variables(ROOT / ".env.example")) | OF_COMPOSE
    assert variables_of() - known == set()


def test_names_engines_as_the_network_knows_them() -> None:
    environment = SERVICES["web"]["environment"]
    names = ["DATABASE_URL", "CELERY_BROKER_URL", "OPENSEARCH_URLS", "AWS_ENDPOINT_URL_DYNAMODB"]
    hosts = [urlsplit(environment[name]) for name in names]
    assert [(host.hostname, host.port) for host in hosts] == [
        ("postgres", 5432),
        ("redis", 6379),
        ("opensearch", 9200),
        ("dynamodb", 8000),
    ]


@pytest.mark.parametrize("missing", SECRETS)
def test_starts_nothing_without_its_secrets(missing: str) -> None:
    with pytest.raises(KeyError, match=missing):
        read_composition({name: value for name, value in SECRETS.items() if name != missing})


def test_holds_no_secret_of_its_own() -> None:
    values = [str(value) for service in SERVICES.values() for value in service.get("environment", {}).values()]
    text = (ROOT / "compose.yaml").read_text()
    assert [
        name for name in ("SECRET_KEY", "POSTGRES_PASSWORD") if re.search(rf"{name}: (?!\$\{{{name}:\?)", text)
    ] == []
    assert any("a-password" in value for value in values)


def test_makes_fresh_secrets_for_each_machine() -> None:
    made = [
        subprocess.run([ROOT / "scripts/compose-env"], check=True, capture_output=True, text=True).stdout for _ in "ab"
    ]
    values = [dict(line.split("=") for line in text.splitlines() if "=" in line) for text in made]
    assert [set(value) for value in values] == [set(SECRETS)] * 2
    assert all(len(value["SECRET_KEY"]) >= 50 for value in values)
    assert not set(values[0].values()) & set(values[1].values())


def test_keeps_every_engines_data_in_a_volume_with_a_name() -> None:
    used = {volume.partition(":")[0] for name in ENGINES for volume in SERVICES[name]["volumes"]}
    assert used == set(ENGINES)
    assert {name for name, options in COMPOSITION["volumes"].items() if not options} == used


def test_lets_the_web_server_see_what_workers_measure() -> None:
    assert {
        (*SERVICES[name]["volumes"], SERVICES[name]["environment"]["PROMETHEUS_MULTIPROC_DIR"]) for name in OWN
    } == {("metrics:/metrics", "/metrics")}
