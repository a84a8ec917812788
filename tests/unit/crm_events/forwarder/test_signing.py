from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from crm_events.forwarder.signing import AwsCredentials, signed_headers

NOW = datetime(2026, 10, 6, 7, 20, 9, tzinfo=UTC)
HEADERS = {
    "content-type": "application/x-amz-json-1.1",
    "host": "secretsmanager.eu-west-1.amazonaws.com",
    "x-amz-target": "secretsmanager.GetSecretValue",
}


@pytest.mark.parametrize("token", ["", "session token/+="])
@pytest.mark.parametrize("body", [b"", b'{"SecretId": "crm/\xc3\xa5"}'])
def test_the_signature_is_the_one_that_the_sdk_makes(token: str, body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: NOW.replace(tzinfo=None))
    request = AWSRequest("POST", f"https://{HEADERS['host']}/", data=body, headers=HEADERS)
    SigV4Auth(Credentials("AKIA", "secret", token or None), "secretsmanager", "eu-west-1").add_auth(request)

    ours = signed_headers(HEADERS, body, AwsCredentials("AKIA", "secret", token, "eu-west-1", "secretsmanager"), NOW)

    assert ours["authorization"] == request.headers["Authorization"]
    assert ours.get("x-amz-security-token") == request.headers.get("X-Amz-Security-Token")


def test_credentials_never_show_their_secrets() -> None:
    shown = repr(AwsCredentials("AKIA", "secret", "token", "eu-west-1", "secretsmanager"))
    assert "AKIA" in shown
    assert "secret'" not in shown
    assert "token'" not in shown
