from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from requests import PreparedRequest
from requests.adapters import BaseAdapter

from crm_events.adapters.salesforce.http import SalesforceHttp
from crm_events.adapters.salesforce.options import Options
from crm_events.adapters.salesforce.source import SalesforceSource
from crm_events.ports.crm_source import CrmSourceError, SourceAccessError, SourceUnavailableError
from tests.integration.salesforce.conftest import MakeSource
from tests.integration.salesforce.server import TOKEN, Answer, FakeSalesforce

GOOD: dict[str, Any] = {"url": "https://acme.my.salesforce.com", "client_id": "app", "client_secret": "secret"}
WITH_KEY: dict[str, Any] = {**GOOD, "client_secret": "", "username": "api@acme.com", "private_key": "a key"}


@cache
def a_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def a_pem() -> str:
    return a_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def by_key(**settings: Any) -> dict[str, Any]:
    return {"client_secret": "", "username": "api@acme.com", "private_key": a_pem(), **settings}


def test_logs_in_with_client_credentials(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    salesforce.on("GET", "", Answer([1]))
    source.ping()
    request = salesforce.requests[0]
    assert (request.path, request.form) == (TOKEN, {"grant_type": "client_credentials"})
    assert request.headers["Authorization"] == "Basic YXBwOnNlY3JldA=="


def test_logs_in_with_a_signed_assertion(salesforce: FakeSalesforce, make_source: MakeSource) -> None:
    salesforce.on("GET", "", Answer([1]))
    make_source(**by_key()).ping()
    form = salesforce.requests[0].form
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    claims = jwt.decode(
        form["assertion"], a_key().public_key(), algorithms=["RS256"], audience="https://login.salesforce.com"
    )
    assert (claims["iss"], claims["sub"]) == ("app", "api@acme.com")
    lifetime = datetime.fromtimestamp(int(claims["exp"]), UTC) - datetime.now(UTC)
    assert timedelta(0) < lifetime <= timedelta(minutes=5)


def test_reads_the_key_from_a_file(salesforce: FakeSalesforce, make_source: MakeSource, tmp_path: Path) -> None:
    salesforce.on("GET", "", Answer([1]))
    (tmp_path / "key.pem").write_text(a_pem())
    make_source(**by_key(private_key="", private_key_file=str(tmp_path / "key.pem"))).ping()
    assert salesforce.tokens == 1


@pytest.mark.parametrize("text", ["no key", "", "-----BEGIN PRIVATE KEY-----\nYWJj\n-----END PRIVATE KEY-----\n"])
def test_says_when_the_key_is_none(make_source: MakeSource, tmp_path: Path, text: str) -> None:
    (tmp_path / "key.pem").write_text(text)
    source = make_source(**by_key(private_key="", private_key_file=str(tmp_path / "key.pem")))
    with pytest.raises(SourceAccessError, match="SALESFORCE_PRIVATE_KEY_FILE holds no private key"):
        source.ping()


@pytest.mark.parametrize(
    ("url", "domain", "audience_is_test"),
    [
        ("https://acme.my.salesforce.com", "acme.my", False),
        ("https://acme--dev.sandbox.my.salesforce.com", "acme--dev.sandbox.my", True),
        ("https://acme--dev.my.salesforce.com", "acme--dev.my", True),
        ("https://acme.scratch.my.salesforce.com/", "acme.scratch.my", True),
        ("https://acme-dev-ed.develop.my.salesforce.com", "acme-dev-ed.develop.my", False),
    ],
)
def test_knows_a_sandbox_by_its_address(url: str, domain: str, audience_is_test: bool) -> None:
    options = Options(**{**GOOD, "url": url})
    assert (options.domain, options.is_sandbox, options.problems()) == (domain, audience_is_test, [])
    assert options.library_url == options.base_url


@pytest.mark.parametrize(
    ("code", "said", "advice"),
    [
        ("invalid_grant", "user hasn't been found", "SALESFORCE_USERNAME"),
        ("invalid_grant", "audience is invalid", "SALESFORCE_URL"),
        ("invalid_grant", "invalid assertion", "certificate"),
        ("invalid_grant", "expired access/refresh token", "clock"),
        ("invalid_client_id", "client identifier invalid", "SALESFORCE_CLIENT_ID"),
        ("invalid_client", "invalid client credentials", "client credentials flow"),
        ("invalid_grant", "request not supported on this domain", "My Domain"),
        ("invalid_app_access", "user is not admin approved to access this app", "profile or permission set"),
        ("inactive_user", "user is inactive", "not active"),
        ("something_new", "", "SALESFORCE_"),
    ],
)
def test_says_what_to_check_when_it_is_not_let_in(
    salesforce: FakeSalesforce, source: SalesforceSource, code: str, said: str, advice: str
) -> None:
    salesforce.on("POST", TOKEN, Answer({"error": code, "error_description": said}, 400))
    with pytest.raises(SourceAccessError) as raised:
        source.ping()
    assert raised.value.code == code
    assert advice in raised.value.detail


def test_says_when_the_user_may_not_use_the_app(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    body = {"error": "invalid_grant", "error_description": "user hasn't approved this consumer"}
    salesforce.on("POST", TOKEN, Answer(body, 400))
    with pytest.warns(UserWarning, match="authorize this"), pytest.raises(SourceAccessError, match="pre-authorized"):
        source.ping()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer("<html>Down</html>", 503), SourceUnavailableError),
        (Answer({"error": "server_error"}, 500), SourceUnavailableError),
        (Answer("<html>Hello</html>"), SourceAccessError),
        (Answer("", 301, {"Location": "https://elsewhere.example.com"}), SourceAccessError),
        (Answer({"access_token": "x"}), SourceAccessError),
        (Answer([1]), SourceAccessError),
        (Answer("", hang_up=True), SourceUnavailableError),
    ],
    ids=str,
)
def test_understands_any_answer_to_a_login(
    salesforce: FakeSalesforce, source: SalesforceSource, answer: Answer, kind: type[CrmSourceError]
) -> None:
    salesforce.on("POST", TOKEN, answer)
    with pytest.raises(kind):
        source.ping()


def test_tries_a_login_again_that_was_not_answered(salesforce: FakeSalesforce, source: SalesforceSource) -> None:
    token = Answer({"access_token": "a", "instance_url": "https://acme.my.salesforce.com"})
    salesforce.on("POST", TOKEN, Answer("", hang_up=True), Answer("", 503), token)
    salesforce.on("GET", "", Answer([1]))
    source.ping()
    assert salesforce.asked("GET", "")[0].headers["Authorization"] == "Bearer a"


def test_leaves_addresses_of_salesforce_as_they_are() -> None:
    http = SalesforceHttp(Options(**GOOD), lambda _response: None)
    sent: list[Any] = []
    http.mount("https://", _Recorder(sent))
    with pytest.raises(ConnectionAbortedError):
        http.request("GET", "https://acme.my.salesforce.com/services/data/")
    assert (sent[0][0], sent[0][1]) == ("https://acme.my.salesforce.com/services/data/", (10.0, 120.0))


class _Recorder(BaseAdapter):
    def __init__(self, sent: list[Any]) -> None:
        super().__init__()
        self._sent = sent

    def send(self, request: PreparedRequest, *_: Any, **options: Any) -> Any:
        self._sent.append((request.url, options["timeout"]))
        raise ConnectionAbortedError

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("changes", "variable"),
    [
        ({"url": ""}, "SALESFORCE_URL"),
        ({"url": "acme.my.salesforce.com"}, "SALESFORCE_URL"),
        ({"url": "https://acme.my.salesforce.com/services"}, "SALESFORCE_URL"),
        ({"url": "http://acme.my.salesforce.com"}, "https://"),
        ({"url": "https://login.salesforce.com"}, "My Domain"),
        ({"client_id": ""}, "SALESFORCE_CLIENT_ID"),
        ({"client_secret": ""}, "No credentials"),
        ({"username": "api@acme.com"}, "Both SALESFORCE_CLIENT_SECRET"),
        ({**WITH_KEY, "private_key": ""}, "No credentials"),
        ({**WITH_KEY, "username": ""}, "No credentials"),
        ({**WITH_KEY, "private_key_file": "/key"}, "keep one"),
        ({**WITH_KEY, "private_key": "", "private_key_file": "/no/file"}, "no file"),
        ({"api_version": "v67"}, "SALESFORCE_API_VERSION"),
        ({"read_timeout": 0.0}, "SALESFORCE_READ_TIMEOUT"),
        ({"margin_seconds": -1.0}, "SALESFORCE_CLOCK_MARGIN"),
    ],
)
def test_says_which_setting_is_wrong(changes: dict[str, Any], variable: str) -> None:
    settings = {**GOOD, **changes}
    problems = SalesforceSource.problems(**settings)
    assert len(problems) == 1
    assert variable in problems[0]
    with pytest.raises(SourceAccessError, match="SETTINGS"):
        SalesforceSource(**settings)


@pytest.mark.parametrize("settings", [GOOD, WITH_KEY, {**GOOD, "url": "http://127.0.0.1:8090"}])
def test_finds_no_fault_with_good_settings(settings: dict[str, Any]) -> None:
    assert SalesforceSource.problems(**settings) == []
