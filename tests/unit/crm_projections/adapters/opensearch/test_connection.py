import os
import socket
import ssl
import subprocess
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from crm_projections.adapters.opensearch.connection import READ_ATTEMPTS, Call, Connection
from crm_projections.adapters.opensearch.credentials import Credentials, service_of
from crm_projections.ports.read_model import ReadModelError, ReadModelUnavailableError
from tests.stub_cluster import Script, stub_cluster

NO_AUTH = Credentials("none")
OK = (200, {"ok": True})
BUSY = (429, {"error": {"type": "es_rejected_execution_exception", "reason": "rejected execution of search"}})
HELLO = Call("GET", "/")


def ask(url: str, call: Call = HELLO, credentials: Credentials = NO_AUTH, ca_certs: str = "") -> Any:
    return Connection([url], credentials, ca_certs).call(call)


def answer_of(*answers: tuple[int, Any] | None, call: Call = HELLO) -> tuple[Any, Script]:
    """Return what a call gives against scripted answers, and what was asked."""
    script = Script(list(answers))
    with stub_cluster(script) as url:
        return ask(url, call), script


def words_of_failure(*answers: tuple[int, Any] | None) -> str:
    with pytest.raises(ReadModelError) as raised:
        answer_of(*answers)
    return str(raised.value)


class TestAnswers:
    def test_gives_the_json_of_the_answer(self) -> None:
        assert answer_of(OK)[0] == {"ok": True}

    def test_an_accepted_error_is_an_answer(self) -> None:
        assert answer_of((404, {"found": False}), call=Call("GET", "/x", accept=(404,)))[0] == {"found": False}

    def test_bytes_are_sent_as_lines(self) -> None:
        _, script = answer_of(OK, call=Call("POST", "/_bulk", b"{}\n"))

        assert script.requests[0].body == b"{}\n"
        assert script.requests[0].headers["content-type"] == "application/x-ndjson"


class TestAttempts:
    @pytest.mark.parametrize("trouble", [BUSY, (503, {"error": "no master"}), None], ids=["429", "503", "reset"])
    def test_asks_again_after_what_passes(self, trouble: tuple[int, Any] | None) -> None:
        answer, script = answer_of(trouble, OK)

        assert answer == {"ok": True}
        assert len(script.requests) == 2

    def test_gives_up_after_some_attempts(self) -> None:
        script = Script([BUSY])
        with stub_cluster(script) as url, pytest.raises(ReadModelUnavailableError, match="too much to do"):
            ask(url)

        assert len(script.requests) == READ_ATTEMPTS

    def test_what_is_refused_for_good_is_asked_once(self) -> None:
        script = Script([(400, {"error": {"type": "parsing_exception", "reason": "unknown query"}})])
        with stub_cluster(script) as url, pytest.raises(ReadModelError, match="unknown query"):
            ask(url)

        assert len(script.requests) == 1

    @pytest.mark.parametrize(("repeat", "connections"), [(False, 1), (True, READ_ATTEMPTS)])
    def test_a_slow_answer_is_waited_for_again_only_where_that_is_said(self, repeat: bool, connections: int) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            with pytest.raises(ReadModelUnavailableError, match="in time"):
                ask(url, Call("GET", "/", timeout=0.05, repeat_on_timeout=repeat))

            silent.settimeout(0.05)
            assert _waiting_connections(silent) == connections

    def test_a_forked_process_has_a_client_of_its_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        connection = Connection(["http://127.0.0.1:9"], NO_AUTH, "")
        parent = connection._own_client()
        assert connection._own_client() is parent

        monkeypatch.setattr(os, "getpid", lambda: -1)

        assert connection._own_client() is not parent


class TestCredentials:
    def test_basic_authentication_sends_name_and_password(self) -> None:
        script = Script([OK])
        with stub_cluster(script) as url:
            ask(url, credentials=Credentials("basic", "crm", "s3cret"))

        assert script.requests[0].headers["authorization"] == f"Basic {b64encode(b'crm:s3cret').decode()}"

    def test_aws_requests_are_signed_with_their_body(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        script = Script([OK])
        with stub_cluster(script) as url:
            ask(url, Call("POST", "/crm/_search", {"size": 1}, {"preference": "a b"}), Credentials("aws"))

        headers = {name.lower(): value for name, value in script.requests[0].headers.items()}
        assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
        assert "/eu-west-1/es/aws4_request" in headers["authorization"]
        assert headers["x-amz-content-sha256"] == sha256(script.requests[0].body).hexdigest()

    def test_without_aws_credentials_it_says_what_to_do(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")

        with pytest.raises(ReadModelUnavailableError, match="AWS_ACCESS_KEY_ID"):
            ask("http://127.0.0.1:9", credentials=Credentials("aws"))

    @pytest.mark.parametrize(
        ("host", "service"),
        [
            ("https://vpc-crm.eu-west-1.es.amazonaws.com", "es"),
            ("https://abc.eu-west-1.aoss.amazonaws.com:443", "aoss"),
            ("http://127.0.0.1:9200", "es"),
        ],
    )
    def test_the_host_says_which_service_is_signed_for(self, host: str, service: str) -> None:
        assert service_of([host]) == service

    @pytest.mark.parametrize(("auth", "says"), [("kerberos", "none, basic or aws"), ("basic", "OPENSEARCH_PASSWORD")])
    def test_settings_that_cannot_be_are_refused_at_once(self, auth: str, says: str) -> None:
        with pytest.raises(ReadModelError, match=says):
            Credentials(auth)


class TestWords:
    @pytest.mark.parametrize(
        ("status", "body", "says"),
        [
            (401, {"error": "Unauthorized"}, "OPENSEARCH_PASSWORD"),
            (403, {"message": "User is not authorized to perform: es:ESHttpPut"}, "es:ESHttpPut.*Next: give"),
            (
                403,
                {"error": {"type": "cluster_block_exception", "reason": "index [x] blocked by: [FORBIDDEN/12/...];"}},
                "takes no writes.*make room",
            ),
            (503, {"error": {"reason": "all shards failed"}}, "cluster's health"),
        ],
        ids=["password", "right", "disk", "shards"],
    )
    def test_a_refusal_says_what_to_do_next(self, status: int, body: dict[str, Any], says: str) -> None:
        with pytest.raises(ReadModelUnavailableError, match=says):
            answer_of((status, body))

    def test_a_name_nobody_knows(self) -> None:
        with pytest.raises(ReadModelUnavailableError, match=r"host is not known.*OPENSEARCH_URLS"):
            ask("http://nowhere.invalid:9200")

    def test_a_port_nobody_listens_at(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with pytest.raises(ReadModelUnavailableError, match="Nothing listens"):
            ask(f"http://127.0.0.1:{port}")

    def test_no_password_is_told(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with pytest.raises(ReadModelUnavailableError) as raised:
            ask(f"http://crm:s3cret@127.0.0.1:{port}")

        assert "s3cret" not in str(raised.value)
        assert f"127.0.0.1:{port}" in str(raised.value)

    def test_plain_http_where_tls_was_expected(self) -> None:
        with stub_cluster(Script([OK])) as url, pytest.raises(ReadModelUnavailableError, match="does not speak TLS"):
            ask(url.replace("http:", "https:"))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a key and a certificate of localhost that nobody else signed."""
    folder = tmp_path_factory.mktemp("tls")
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost"
        " -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem"
    )
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    return context


class TestCertificates:
    def test_a_certificate_nobody_signed_is_not_trusted(self, tls: ssl.SSLContext) -> None:
        script = Script([OK])
        with stub_cluster(script, tls) as url, pytest.raises(ReadModelUnavailableError, match="OPENSEARCH_CA_CERTS"):
            ask(url)

        assert script.requests == []

    def test_a_certificate_authority_of_ones_own_is(self, tls: ssl.SSLContext, certificate: Path) -> None:
        with stub_cluster(Script([OK]), tls) as url:
            assert ask(url, ca_certs=str(certificate / "cert.pem")) == {"ok": True}


def _waiting_connections(server: socket.socket) -> int:
    count = 0
    while True:
        try:
            server.accept()[0].close()
        except TimeoutError:
            return count
        count += 1
