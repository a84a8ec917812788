"""One signed question to an OpenSearch node, apart from the adapter, to see what its login does."""

from urllib.parse import urlsplit

import boto3
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import NoCredentialsError

from config.doctor.setup import Setup

_SECONDS = 5


def ask_node(setup: Setup, url: str, path: str = "/") -> requests.Response:
    """Return the node's answer to a GET, whatever its status.

    :raises requests.RequestException: the node does not answer.
    :raises botocore.exceptions.BotoCoreError: the request is to be signed and there are no credentials.
    """
    options = setup.opensearch
    address = url.rstrip("/") + path
    return requests.get(
        address,
        auth=(options["username"], options["password"]) if options["auth"] == "basic" else None,
        headers=_signed_headers(address) if options["auth"] == "aws" else None,
        verify=options["ca_certs"] or True,
        allow_redirects=False,
        timeout=_SECONDS,
    )


def _signed_headers(address: str) -> dict[str, str]:
    session = boto3.session.Session()
    credentials = session.get_credentials()
    if credentials is None:
        raise NoCredentialsError
    # Serverless collections are signed for under another name than domains.
    service = "aoss" if (urlsplit(address).hostname or "").endswith(".aoss.amazonaws.com") else "es"
    request = AWSRequest(method="GET", url=address)
    SigV4Auth(credentials.get_frozen_credentials(), service, session.region_name).add_auth(request)
    return dict(request.headers.items())
