"""How requests prove who sends them: not at all, by name and password, or by AWS Signature Version 4."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import boto3
from opensearchpy import Urllib3AWSV4SignerAuth

from crm_projections.ports.read_model import ReadModelError, ReadModelUnavailableError

NONE, BASIC, AWS = "none", "basic", "aws"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the settings say: ``auth`` is none, basic or aws; ``service`` is AWS's name of the service to sign for."""

    auth: str
    username: str = ""
    password: str = ""
    service: str = "es"

    def __post_init__(self) -> None:
        if self.auth not in {NONE, BASIC, AWS}:
            raise ReadModelError(f"OPENSEARCH_AUTH is “{self.auth}”. Next: set it to none, basic or aws.")
        if self.auth == BASIC and not (self.username and self.password):
            raise ReadModelError(
                "OPENSEARCH_AUTH is basic, but there is no name or password."
                " Next: set OPENSEARCH_USERNAME and OPENSEARCH_PASSWORD."
            )

    def http_auth(self) -> Any:
        """Return what the client signs requests with.

        :raises ReadModelUnavailableError: AWS gives this process no credentials or no region.
        """
        if self.auth == NONE:
            return None
        return (self.username, self.password) if self.auth == BASIC else _aws_signer(self.service)


def service_of(hosts: Sequence[str]) -> str:
    """Return AWS's name of the service that requests to these hosts are signed for."""
    # https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-clients.html
    is_serverless = any((urlsplit(host).hostname or "").endswith(".aoss.amazonaws.com") for host in hosts)
    return "aoss" if is_serverless else "es"


def _aws_signer(service: str) -> Callable[..., dict[str, str]]:
    session = boto3.Session()
    found = session.get_credentials()
    if found is None:
        raise ReadModelUnavailableError(
            "OPENSEARCH_AUTH is aws, but AWS gives this process no credentials."
            " Next: give its role access, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    if session.region_name is None:
        raise ReadModelUnavailableError("OPENSEARCH_AUTH is aws, but no region is set. Next: set AWS_REGION.")
    signer: Callable[..., dict[str, str]] = Urllib3AWSV4SignerAuth(found, session.region_name, service)
    return signer
