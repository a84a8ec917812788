"""AWS Signature Version 4 for one POST to the root of a service.

Steps as in https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class AwsCredentials:
    """Whose signature it is, and for which service and region."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str = field(repr=False)
    region: str
    service: str

    @classmethod
    def from_environment(cls, variables: Mapping[str, str], region: str, service: str) -> Self:
        """Take the variables that Lambda sets from the function's role."""
        return cls(
            variables.get("AWS_ACCESS_KEY_ID", ""),
            variables.get("AWS_SECRET_ACCESS_KEY", ""),
            variables.get("AWS_SESSION_TOKEN", ""),
            region,
            service,
        )


def signed_headers(
    headers: Mapping[str, str], body: bytes, credentials: AwsCredentials, now: datetime
) -> dict[str, str]:
    """Return the headers (names in lower case, ``host`` among them) with date and signature added."""
    time = f"{now:%Y%m%dT%H%M%SZ}"
    signed = {**headers, "x-amz-date": time}
    if credentials.token:
        signed["x-amz-security-token"] = credentials.token
    names = ";".join(sorted(signed))
    lines = [f"{name}:{signed[name].strip()}\n" for name in sorted(signed)]
    request = "\n".join(["POST", "/", "", "".join(lines), names, hashlib.sha256(body).hexdigest()])
    scope = f"{time[:8]}/{credentials.region}/{credentials.service}/aws4_request"
    to_sign = "\n".join([_ALGORITHM, time, scope, hashlib.sha256(request.encode()).hexdigest()])
    signature = hmac.new(_signing_key(credentials, time[:8]), to_sign.encode(), hashlib.sha256).hexdigest()
    credential = f"{credentials.access_key}/{scope}"
    authorization = f"{_ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return {**signed, "authorization": authorization}


def _signing_key(credentials: AwsCredentials, date: str) -> bytes:
    key = f"AWS4{credentials.secret_key}".encode()
    for part in (date, credentials.region, credentials.service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
