from collections.abc import Iterator
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from crm_events.simulator.org import SimulatedOrg
from crm_events.simulator.serving import OrgServer
from crm_events.simulator.web.oauth import ConnectedApp
from tests.integration.simulator.client import VERSION
from tests.unit.crm_events.simulator.reading import NOW, Clock

KEY = rsa.generate_private_key(65537, 2048)
OTHER_KEY = rsa.generate_private_key(65537, 2048)
APP = ConnectedApp(
    public_key=KEY.public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
)


@pytest.fixture
def server(org: SimulatedOrg) -> Iterator[OrgServer]:
    with OrgServer(org, APP) as server:
        yield server


def asked(server: OrgServer, **form: str) -> tuple[int, dict[str, Any]]:
    answer = requests.post(f"{server.url}/services/oauth2/token", data=form, timeout=10)
    return answer.status_code, answer.json()


def with_assertion(server: OrgServer, key: rsa.RSAPrivateKey = KEY, **claims: Any) -> tuple[int, dict[str, Any]]:
    usual = {
        "iss": APP.consumer_key,
        "sub": APP.username,
        "aud": "https://login.salesforce.com",
        "exp": round(NOW.timestamp()) + 180,
    }
    assertion = jwt.encode({**usual, **claims}, key, algorithm="RS256")
    return asked(server, grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer", assertion=assertion)


def test_lets_in_whoever_signs_with_the_right_key(server: OrgServer) -> None:
    status, body = with_assertion(server)
    assert (status, body["token_type"], body["instance_url"]) == (200, "Bearer", server.url)
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    assert requests.get(f"{server.url}/services/data/v{VERSION}/limits", headers=headers, timeout=10).ok


@pytest.mark.parametrize(
    ("claims", "error", "description"),
    [
        ({"aud": "https://elsewhere.example"}, "invalid_grant", "audience is invalid"),
        ({"iss": "somebody"}, "invalid_client_id", "client identifier invalid"),
        ({"sub": "nobody@simulated.example"}, "invalid_grant", "user hasn't approved this consumer"),
        ({"exp": round(NOW.timestamp()) - 1}, "invalid_grant", "expired authorization code"),
    ],
)
def test_refuses_claims_that_do_not_fit(
    server: OrgServer, claims: dict[str, Any], error: str, description: str
) -> None:
    assert with_assertion(server, **claims) == (400, {"error": error, "error_description": description})


def test_refuses_the_signature_of_another_key(server: OrgServer) -> None:
    assert with_assertion(server, OTHER_KEY)[1]["error_description"] == "invalid assertion"


def test_refuses_an_assertion_without_a_signature(server: OrgServer) -> None:
    assertion = jwt.encode({"iss": APP.consumer_key, "sub": APP.username, "exp": 2**40}, "", algorithm="none")
    grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert asked(server, grant_type=grant, assertion=assertion)[0] == 400


def test_lets_in_whoever_has_the_consumer_s_secret(server: OrgServer) -> None:
    form = {"client_id": APP.consumer_key, "client_secret": APP.consumer_secret}
    assert asked(server, grant_type="client_credentials", **form)[0] == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "client_credentials", "client_id": "x"}, "invalid_client_id"),
        ({"grant_type": "client_credentials", "client_id": APP.consumer_key, "client_secret": "x"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({}, "unsupported_grant_type"),
    ],
)
def test_refuses_other_ways_in(server: OrgServer, form: dict[str, str], error: str) -> None:
    status, body = asked(server, **form)
    assert (status, body["error"]) == (400, error)


def test_ends_a_session_after_its_time(server: OrgServer, clock: Clock) -> None:
    headers = {"Authorization": f"Bearer {with_assertion(server)[1]['access_token']}"}
    clock.move(APP.session_seconds)
    answer = requests.get(f"{server.url}/services/data/v{VERSION}/limits", headers=headers, timeout=10)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (401, "INVALID_SESSION_ID")
