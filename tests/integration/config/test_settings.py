import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
READ = """
import json, sys
from config import settings
print(json.dumps({name: getattr(settings, name) for name in sys.argv[1:]}, default=str))
"""


def _run(variables: dict[str, str], *names: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], **variables}
    command = [sys.executable, "-c", READ, *names]
    return subprocess.run(command, env=environment, cwd=ROOT, check=False, capture_output=True, text=True)


def _read(variables: dict[str, str], *names: str) -> dict[str, Any]:
    result = _run(variables, *names)
    assert result.returncode == 0, result.stderr
    settings: dict[str, Any] = json.loads(result.stdout)
    return settings


def test_reads_empty_variables_as_unset(tmp_path: Path) -> None:
    empty = {"DATABASE_URL": "", "SECRET_KEY": "", "CELERY_BROKER_URL": "", "DATA_DIR": str(tmp_path / "a b#c?")}
    read = _read(empty, "DATABASES", "BROKER_IS_EMBEDDED", "SECRET_KEY")
    assert read["DATABASES"]["default"]["NAME"] == str(tmp_path / "a b#c?" / "crm.sqlite3")
    assert read["BROKER_IS_EMBEDDED"] is True
    assert read["SECRET_KEY"] == (tmp_path / "a b#c?" / "secret-key").read_text()


def test_takes_production_from_variables_alone(tmp_path: Path) -> None:
    production = {
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": "postgres://crm:secret@db.example.com:5432/crm",
        "SECRET_KEY": "from the environment",
        "CELERY_BROKER_URL": "amqp://rabbit.example.com",
        "HTTPS": "true",
        "ALLOWED_HOSTS": "crm.example.com",
        "EVENT_STORE": "crm_events.adapters.memory.MemoryEventStore",
    }
    read = _read(production, "DATABASES", "SECRET_KEY", "SESSION_COOKIE_SECURE", "ALLOWED_HOSTS", "CRM_EVENT_STORE")
    assert read["DATABASES"]["default"]["HOST"] == "db.example.com"
    assert read["SECRET_KEY"] == "from the environment"
    assert read["SESSION_COOKIE_SECURE"] is True
    assert read["ALLOWED_HOSTS"] == ["crm.example.com"]
    assert read["CRM_EVENT_STORE"]["BACKEND"] == production["EVENT_STORE"]
    assert not (tmp_path / "secret-key").exists()


@pytest.mark.parametrize(("variable", "value"), [("LOG_FORMAT", "xml"), ("PROJECT_BATCH", "many")])
def test_says_which_value_it_cannot_use(variable: str, value: str, tmp_path: Path) -> None:
    result = _run({"DATA_DIR": str(tmp_path), variable: value})
    assert result.returncode != 0
    assert value in result.stderr


def test_reads_no_salesforce_unless_told(tmp_path: Path) -> None:
    assert _read({"DATA_DIR": str(tmp_path), "CRM_SOURCE": ""}, "CRM_SOURCE")["CRM_SOURCE"] is None


def test_takes_salesforce_from_variables(tmp_path: Path) -> None:
    variables = {
        "DATA_DIR": str(tmp_path),
        "CRM_SOURCE": "salesforce",
        "SALESFORCE_URL": "https://acme.my.salesforce.com",
        "SALESFORCE_PRIVATE_KEY": "-----BEGIN KEY-----\\nabc",
    }
    source = _read(variables, "CRM_SOURCE")["CRM_SOURCE"]
    assert source["BACKEND"].endswith(".SalesforceSource")
    options = source["OPTIONS"]
    assert (options["url"], options["api_version"]) == ("https://acme.my.salesforce.com", "67.0")
    assert options["private_key"] == "-----BEGIN KEY-----\nabc"
