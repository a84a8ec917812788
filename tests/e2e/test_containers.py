"""Every process of compose.yaml, run without Docker on the files that the Dockerfile makes, against real engines."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import psycopg
import pytest
import requests

from tests.builders import a_body, a_change, an_id
from tests.e2e.composition import Containers, read_composition
from tests.e2e.image import Image, read_dockerfile
from tests.e2e.serving import free_port
from tests.waiting import wait_until

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
START_SECONDS = 180
LONG_RUNNING = ("web", "worker-ingest", "worker-project", "worker-bulk", "beat")
pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    tried = subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True)
    if tried.returncode:
        reason = "running an image's files without Docker takes a mount namespace (unshare --mount, as root)"
        pytest.fail(reason) if IN_CI else pytest.skip(reason)
    built = Image(tmp_path_factory.mktemp("image"))
    built.build()
    yield built
    shutil.rmtree(built.folder)


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    server = os.environ["TEST_POSTGRES_URL"]
    name = f"containers_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    yield f"{server.rpartition('/')[0]}/{name}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="module")
def dynamodb(dynamodb_endpoint: str) -> Iterator[dict[str, str]]:
    prefix = f"containers-{uuid.uuid4().hex[:12]}"
    yield {"AWS_ENDPOINT_URL_DYNAMODB": dynamodb_endpoint, "DYNAMODB_TABLE_PREFIX": prefix}
    client = boto3.client("dynamodb", endpoint_url=dynamodb_endpoint)
    for page in client.get_paginator("list_tables").paginate():
        for table in page["TableNames"]:
            if table.startswith(prefix):
                _delete_table(client, table)


def _delete_table(client: "DynamoDBClient", table: str) -> None:
    with contextlib.suppress(client.exceptions.ClientError):  # not every table is protected
        client.update_table(TableName=table, DeletionProtectionEnabled=False)
    client.delete_table(TableName=table)


@pytest.fixture(scope="module")
def opensearch(opensearch_url: str) -> Iterator[dict[str, str]]:
    prefix = f"containers-{uuid.uuid4().hex[:12]}"
    yield {"OPENSEARCH_URLS": opensearch_url, "OPENSEARCH_INDEX_PREFIX": prefix}
    for index in requests.get(f"{opensearch_url}/_cat/indices/{prefix}*?h=index", timeout=10).text.split():
        requests.delete(f"{opensearch_url}/{index}", timeout=10)
    requests.delete(f"{opensearch_url}/_index_template/{prefix}*", timeout=10)


@pytest.fixture(scope="module")
def containers(
    image: Image,
    database: str,
    dynamodb: dict[str, str],
    opensearch: dict[str, str],
    redis_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Containers]:
    """Run all services, each once the ones it depends on are as it wants them."""
    composition = read_composition({"SECRET_KEY": "s" * 60, "POSTGRES_PASSWORD": "not-used-here"})
    addresses = {"DATABASE_URL": database, "CELERY_BROKER_URL": redis_url, "PORT": str(free_port())}
    queues = {"BROKER_PREFIX": f"containers-{uuid.uuid4().hex[:12]}-"}
    variables = {**addresses, **dynamodb, **opensearch, **queues}
    running = Containers(image, composition, variables, tmp_path_factory.mktemp("logs"))
    prepared = running.run("migrate")
    assert prepared.returncode == 0, prepared.stdout + prepared.stderr
    try:
        for name in LONG_RUNNING:
            running.start(name)
        for name in LONG_RUNNING:
            wait_until(lambda name=name: running.is_healthy(name), timeout=START_SECONDS, interval=0.5)  # type: ignore[misc]
        yield running
    finally:
        running.kill_all()


@pytest.fixture(scope="module")
def keys(containers: Containers) -> dict[str, str]:
    """Make API keys as the documentation says: by a command in the web service's container."""
    made = {}
    for scope in ("ingest", "read"):
        command = ["python", "manage.py", "create_api_key", f"{scope} of the tests", "--scopes", scope]
        done = containers.run("web", command)
        assert done.returncode == 0, done.stderr
        made[scope] = done.stdout.splitlines()[-1].strip()
    return made


def _address(containers: Containers, path: str) -> str:
    return f"http://127.0.0.1:{containers.variables['PORT']}{path}"


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_finds_everything_made_when_the_one_time_job_runs_again(containers: Containers) -> None:
    done = containers.run("migrate")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing was changed. Everything is as it must be." in done.stdout


def test_carries_a_change_from_post_to_query(containers: Containers, keys: dict[str, str]) -> None:
    address = _address(containers, "/api/v1/events/")
    headers = {**_bearer(keys["ingest"]), "Content-Type": "application/json"}
    posted = requests.post(address, data=a_body(a_change(fields={"Name": "Contained"})), headers=headers, timeout=30)
    assert posted.status_code == 202, posted.text
    client = _address(containers, f"/api/v1/clients/{an_id()}/")
    wait_until(lambda: requests.get(client, headers=_bearer(keys["read"]), timeout=30).ok, timeout=60, interval=0.2)
    assert requests.get(client, headers=_bearer(keys["read"]), timeout=30).json()["name"] == "Contained"


def test_shows_what_workers_measure(containers: Containers, keys: dict[str, str]) -> None:
    def figures() -> str:
        return requests.get(_address(containers, "/metrics"), headers=_bearer(keys["read"]), timeout=30).text

    for task in ("sweep_deliveries", "sweep_pending"):  # of two workers
        wait_until(lambda task=task: re.search(rf"crm_task_duration_seconds_count.*{task}", figures()), timeout=60)  # type: ignore[misc]


def test_serves_the_consoles_static_files_from_the_image(containers: Containers) -> None:
    answer = requests.get(_address(containers, "/static/console/console.css"), timeout=30)
    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (200, "text/css")


def _doctor(containers: Containers) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = json.loads(containers.run("web", ["python", "manage.py", "doctor", "--json"]).stdout)[
        "checks"
    ]
    return lines


def test_shows_the_doctor_nothing_red_and_every_lane_at_work(containers: Containers) -> None:
    found: dict[str, str] = {}

    def is_well() -> bool:
        found.update({line["subject"]: f"{line['light']}: {line['fact']}" for line in _doctor(containers)})
        return not [fact for fact in found.values() if fact.startswith("red")]

    with contextlib.suppress(AssertionError):  # what is wrong says more than that it took too long
        wait_until(is_well, timeout=120)
    assert {subject: fact for subject, fact in found.items() if fact.startswith("red")} == {}
    green = {subject for subject, fact in found.items() if fact.startswith("green")}
    assert green >= {
        "sweeps",
        "lane ingest",
        "lane project",
        "lane bulk",
        "message broker",
        "event store",
        "read model",
    }


def test_runs_without_roots_rights_on_files_that_it_cannot_change(containers: Containers) -> None:
    for name in LONG_RUNNING:
        status = Path(f"/proc/{containers.processes[name].pid}/status").read_text()
        assert [line.split()[1] for line in status.splitlines() if line.startswith("Uid:")] == ["10001"]
    assert containers.run("web", ["sh", "-c", "touch /app/x || touch /opt/x || touch /usr/x || touch /x"]).returncode
    assert containers.run("web", ["sh", "-c", "touch /data/x && touch /tmp/x"]).returncode == 0


def test_notices_that_a_process_is_gone(containers: Containers) -> None:
    nowhere = {**containers.environment("web"), "PORT": str(free_port())}
    probe = containers.image.command(["python", "-I", "config/probe.py"], mode="read-only")
    done = subprocess.run(probe, env=nowhere, check=False, capture_output=True, text=True)
    assert (done.returncode, "does not answer" in done.stderr) == (1, True)
    # A container of its own has signs of life of its own.
    assert containers.run("beat", ["python", "-I", "config/alive.py", "beat"]).returncode == 1


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_ends_in_good_order_when_asked(containers: Containers, name: str) -> None:
    assert containers.stop(name) == 0, containers.output(name)


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        kind = "link" if path.is_symlink() else "folder" if path.is_dir() else "file"
        content = bytes(path.readlink()) if kind == "link" else path.read_bytes() if kind == "file" else b""
        digest.update(f"{path.relative_to(folder)} {kind} {path.lstat().st_mode} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def test_makes_the_same_files_when_it_is_built_again(image: Image) -> None:
    first = {name: _digest(image.folder / name) for name in ("app", "opt")}
    builder = Image(image.folder, {"PATH": image.environment["PATH"], **read_dockerfile()[0].environment()})
    for cache in (*(image.folder / "opt").rglob("__pycache__"), image.folder / "app"):
        shutil.rmtree(cache)
    copies_and_runs = [one for one in read_dockerfile()[0].instructions if one[0] in {"COPY", "RUN"}]
    for name, arguments in [
        copies_and_runs[0],
        *copies_and_runs[2:],
    ]:  # all but the packages, which come by their hashes
        builder.carry_out(name, arguments)
    assert {name: _digest(image.folder / name) for name in ("app", "opt")} == first
