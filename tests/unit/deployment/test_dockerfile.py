import re
import subprocess
from pathlib import Path

import pytest

from config.probe import allowed_host, ask, main
from tests.answering import Answer, answering
from tests.e2e.image import ROOT, context_files, read_dockerfile

STAGES = read_dockerfile()


def test_pins_the_base_image_by_version_and_digest() -> None:
    text = (ROOT / "Dockerfile").read_text()
    (image,) = re.findall(r"^ARG PYTHON_IMAGE=(.+)$", text, re.MULTILINE)
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-bookworm@sha256:[0-9a-f]{64}", image)
    assert [stage.instructions[0][1].split()[0] for stage in STAGES] == ["${PYTHON_IMAGE}"] * 2


def test_installs_locked_packages_by_their_hashes_alone() -> None:
    (install,) = [text for name, text in STAGES[0].instructions if name == "RUN" and "requirements" in text]
    assert {"--require-hashes", "--no-compile", "--only-binary"} <= set(install.split())


def test_runs_as_a_user_with_a_number_and_no_rights() -> None:
    uid, gid = map(int, STAGES[-1].last("USER").split(":"))
    assert uid > 1000
    assert gid > 1000


def test_takes_from_the_build_what_runs_and_nothing_else() -> None:
    # Exactly what tests/e2e/image.py shows a command of the image.
    copies = [arguments.removeprefix("--from=build ") for name, arguments in STAGES[-1].instructions if name == "COPY"]
    owned = "--chown=10001:10001 /data /data"
    assert copies == ["/opt/venv /opt/venv", "/app /app", owned, "/etc/passwd /etc/group /etc/"]
    assert not [text for name, text in STAGES[-1].instructions if name in {"RUN", "ADD"}]


def test_asks_for_health_without_a_program_of_the_base_image() -> None:
    assert '["python", "-I", "config/probe.py"]' in STAGES[-1].last("HEALTHCHECK")


def test_lets_into_the_build_what_runs_and_nothing_else() -> None:
    files = {str(path) for path in context_files()}
    assert files >= {"manage.py", "config/settings.py", "crm_projections/message_schema.json", "templates/403.html"}
    assert {name.split("/")[0] for name in files} == {
        ".env.example",
        "config",
        "crm_api",
        "crm_events",
        "crm_mappings",
        "crm_projections",
        "manage.py",
        "requirements",
        "templates",
    }
    assert {name for name in files if name.startswith("requirements/")} == {"requirements/base.txt"}


@pytest.mark.parametrize(
    "secret", [".env", "config/.env", "var/secret-key", "config/__pycache__/settings.cpython-311.pyc"]
)
def test_lets_no_secret_and_no_leftover_into_the_build(secret: str, tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text((ROOT / ".dockerignore").read_text())
    for name in (secret, "config/settings.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    assert [str(path) for path in context_files(tmp_path)] == ["config/settings.py"]


@pytest.mark.parametrize(
    ("hosts", "host"),
    [
        ("", "localhost"),
        ("*", "localhost"),
        ("crm.example.com,localhost", "crm.example.com"),
        (".example.com", "example.com"),
    ],
)
def test_calls_the_web_server_by_a_name_that_it_answers_to(hosts: str, host: str) -> None:
    assert allowed_host(hosts) == host


def test_tells_a_server_that_answers_from_one_that_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Answer()
    with answering(answer) as address:
        port = int(address.rpartition(":")[2])
        assert ask(port, "/health/live", "crm.example.com") == ""
        assert (answer.requests[0][0], answer.requests[0][1]["Host"]) == ("/health/live", "crm.example.com")
        answer.status = 503
        assert "/health/ready answers 503" in ask(port, "/health/ready", "crm.example.com")
    monkeypatch.setenv("PORT", str(port))
    assert main([]) == 1
