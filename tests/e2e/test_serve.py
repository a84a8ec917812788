import re
import shlex
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.e2e.serving import RunningService, free_port
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with RunningService(tmp_path_factory.mktemp("serve") / "var") as running:
        yield running


def _curl(command: str) -> requests.Response:
    """Send what the command line says, on machines without curl too."""
    words = shlex.split(command)
    headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
    body = words[words.index("-d") + 1] if "-d" in words else None
    url = next(word for word in words if word.startswith("http://"))
    return requests.request("POST" if body else "GET", url, headers=headers, data=body, timeout=10)


def test_shown_commands_bring_a_change_from_post_to_reading(service: RunningService) -> None:
    post, read = service.shown_commands()
    accepted = _curl(post)
    assert accepted.status_code == 202
    path = f"/api/v1/deliveries/{accepted.json()['delivery']}/?wait=20"
    assert service.request("GET", path, "ingest").json()["status"] == "projected"
    assert _curl(read).json()["results"][0]["name"] == "First Client"


def test_every_backend_answers(service: RunningService) -> None:
    answer = requests.get(f"{service.url}/health/ready", timeout=10)
    assert (answer.status_code, answer.json()["down"]) == (200, [])


def test_console_takes_the_shown_password(service: RunningService) -> None:
    session = requests.Session()
    login = f"{service.url}/admin/login/"
    session.get(login, timeout=10)
    password = re.findall(r"^  Password   (\S+)$", service.output(), flags=re.MULTILINE)[-1]
    form = {"username": "admin", "password": password, "csrfmiddlewaretoken": session.cookies["csrftoken"]}
    answer = session.post(login, data=form, headers={"Referer": login}, timeout=10)
    assert answer.status_code == 200
    assert "crm_session" in session.cookies


def test_serves_the_console_s_own_files(service: RunningService) -> None:
    assert requests.get(f"{service.url}/static/unfold/css/styles.css", timeout=10).status_code == 200


def test_beat_and_all_lanes_work(service: RunningService) -> None:
    wanted = ["sweep_deliveries", "sweep_pending", "sweep_runs"]
    wait_until(lambda: all(name in service.request("GET", "/metrics").text for name in wanted))


def test_second_service_on_the_port_says_what_to_do(service: RunningService, tmp_path: Path) -> None:
    second = RunningService(tmp_path / "var", port=service.port)
    second.launch()
    assert second.wait() == 1
    assert f"Port {service.port} is in use." in second.output()
    assert f"make run PORT={service.port + 1}" in second.output()


def test_second_service_on_the_data_says_what_to_do(service: RunningService) -> None:
    second = RunningService(service.data_dir)
    second._output = service.data_dir.with_name("second.log")
    second.launch()
    assert second.wait() == 1
    assert "Another service works in" in second.output()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_cleanly_and_starts_with_its_data(number: int, tmp_path: Path) -> None:
    service = RunningService(tmp_path / "var")
    with service:
        post, _ = service.shown_commands()
        _curl(post)
        keys = [service.key(name) for name in ("ingest", "read", "operate")]
        assert service.stop(number) == 0
        assert "Traceback" not in service.output()
        service.start()
        wait_until(lambda: service.request("GET", "/api/v1/clients/001000000000001AAA/").ok)
        assert [service.key(name) for name in ("ingest", "read", "operate")] == keys
        assert service.stop(number) == 0


def test_finishes_a_request_that_is_under_way_when_it_stops(tmp_path: Path) -> None:
    with RunningService(tmp_path / "var") as service:
        body = ('[{"n":1}' + ',{"n":1}' * 2000 + "]").encode()
        head = f"POST /api/v1/events/ HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {service.key('ingest')}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        with socket.create_connection(("127.0.0.1", service.port)) as connection:
            connection.settimeout(20)
            connection.sendall(head.encode() + body[:10])
            wait_until(lambda: service.request("GET", "/health/live").ok)
            stopper = threading.Thread(target=service.stop)
            stopper.start()
            wait_until(lambda: "Stopping" in service.output())
            connection.sendall(body[10:])
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        stopper.join()
        assert answer.startswith(b"HTTP/1.1 202")
        assert service.process is not None
        assert service.process.returncode == 0


def test_stops_while_it_is_still_setting_up(tmp_path: Path) -> None:
    service = RunningService(tmp_path / "var", port=free_port())
    with service:
        pass
    service.launch()
    wait_until(lambda: _listens(service.port))
    assert service.stop(signal.SIGINT) == 0
    assert "Traceback" not in service.output()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
