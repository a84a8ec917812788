"""The service on the engines of production, as ``make run-engines`` starts it."""

import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import requests
from psycopg import sql

from engines.catalogue import INVENTED_AWS
from tests.e2e.serving import ROOT, free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.postgres
START_SECONDS = 120


@pytest.fixture
def database() -> Iterator[str]:
    """Return the address of a database of the test's own."""
    server = os.environ["TEST_POSTGRES_URL"]
    name = f"processes_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield server.rpartition("/")[0] + f"/{name}"
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def variables(
    tmp_path: Path, database: str, dynamodb_endpoint: str, opensearch_url: str, aws_endpoint: str, redis_url: str
) -> dict[str, str]:
    """Return the environment that names every engine of production."""
    prefix = f"t{uuid.uuid4().hex[:8]}"
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        **INVENTED_AWS,
        "DATA_DIR": str(tmp_path / "var"),
        "PORT": str(free_port()),
        "SIMULATOR_PORT": str(free_port()),
        "DATABASE_URL": database,
        "CELERY_BROKER_URL": redis_url,
        "BROKER_PREFIX": f"{prefix}-",
        "EVENT_STORE": "dynamodb",
        "DYNAMODB_TABLE_PREFIX": prefix,
        "AWS_ENDPOINT_URL_DYNAMODB": dynamodb_endpoint,
        "READ_MODEL": "opensearch",
        "OPENSEARCH_URLS": opensearch_url,
        "OPENSEARCH_INDEX_PREFIX": prefix,
        "BROADCASTER": "eventbridge",
        "AWS_ENDPOINT_URL_EVENTBRIDGE": aws_endpoint,
        "WEB_WORKERS": "1",
        "LOG_LEVEL": "WARNING",
    }


def test_the_demo_is_readable_on_the_engines_of_production_and_a_killed_part_comes_back(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve_processes"], cwd=ROOT, env=variables, stdout=output, stderr=output
        )
    try:
        _use(f"http://127.0.0.1:{variables['PORT']}", tmp_path, log, process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
    assert _children_in(variables["DATA_DIR"]) == []


def _use(url: str, tmp_path: Path, log: Path, process: subprocess.Popen[bytes]) -> None:
    wait_until(lambda: "Ctrl-C stops" in log.read_text() or process.poll() is not None, timeout=START_SECONDS)
    assert process.poll() is None, log.read_text()
    key = (tmp_path / "var" / "access" / "read-key").read_text().strip()

    def get(path: str) -> requests.Response:
        return requests.get(url + path, headers={"Authorization": f"Bearer {key}"}, timeout=30)

    wait_until(lambda: _answers(url), timeout=START_SECONDS, interval=0.2)
    wait_until(lambda: bool(get("/api/v1/clients/").json()["results"]), timeout=START_SECONDS, interval=0.5)
    assert requests.get(f"{url}/admin/login/", timeout=30).status_code == 200
    assert re.search(r"^crm_streams_pending ", get("/metrics").text, flags=re.MULTILINE)
    (worker, *_) = _children_in(str(tmp_path / "var"), "project@")
    os.killpg(worker, signal.SIGKILL)
    wait_until(lambda: "worker project ended (exit -9) and is started again" in log.read_text(), timeout=30)


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/health/live", timeout=10).ok
    except requests.ConnectionError:
        return False


def _children_in(data_dir: str, command: str = "") -> list[int]:
    """Return the processes of a data folder whose command holds a text, the first started first."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes()
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue  # it ended meanwhile, or is somebody else's
        if f"DATA_DIR={data_dir}".encode() in environment.split(b"\0") and command in words:
            found.append(int(folder.name))
    return sorted(found)
