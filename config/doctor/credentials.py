"""Whether the logins that the chosen engines ask for can be found and are accepted."""

from collections.abc import Sequence

import boto3
import requests
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from config.doctor.diagnosis import Diagnosis, amber, green, red
from config.doctor.nodes import ask_node
from config.doctor.setup import Setup

_STS = Config(connect_timeout=3, read_timeout=3, retries={"total_max_attempts": 2, "mode": "standard"})
_SUBJECT = "AWS identity"
# STS needs no permission for this call, and answers it even where a policy denies it:
# https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
_REFUSALS = "the key is wrong, has expired or was withdrawn"
_ENDPOINT_NAMES = {"dynamodb": "DYNAMODB", "events": "EVENTBRIDGE", "sqs": "SQS"}


def examine_aws(setup: Setup) -> list[Diagnosis]:
    """Say as whom AWS sees the service, if it calls AWS at all.

    Engines that stand in for AWS take any key, so AWS is not asked where all calls go to such.
    """
    services = setup.aws_services
    if not services:
        return []
    session = boto3.session.Session()
    credentials = session.get_credentials()
    if credentials is None:
        text = f"no credentials found, and {_listed(services)} needs them"
        return [red(_SUBJECT, text, "give the process a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.")]
    if not session.region_name:
        return [_no_region(setup)]
    if all(_has_own_endpoint(setup, service) for service in services):
        return [green(_SUBJECT, f"credentials by {credentials.method}; {_listed(services)} at endpoints of your own")]
    return [_caller(session, credentials.method)]


def _listed(services: Sequence[str]) -> str:
    return ", ".join(services)


def _no_region(setup: Setup) -> Diagnosis:
    hint = "AWS_REGION is set, which boto3 does not read. " if setup.environment.get("AWS_REGION") else ""
    return red("AWS region", "none is set", f"{hint}Set AWS_DEFAULT_REGION.".lstrip())


def _has_own_endpoint(setup: Setup, service: str) -> bool:
    names = ["AWS_ENDPOINT_URL", f"AWS_ENDPOINT_URL_{_ENDPOINT_NAMES.get(service, service.upper())}"]
    return any(setup.environment.get(name) for name in names)


def _caller(session: boto3.session.Session, method: str) -> Diagnosis:
    try:
        caller = session.client("sts", config=_STS).get_caller_identity()
    except ClientError as failure:
        code = failure.response["Error"]["Code"]
        return red(_SUBJECT, f"credentials by {method} are refused ({code}): {_REFUSALS}", "renew them.")
    except BotoCoreError as failure:
        text = f"credentials by {method}, but AWS could not be asked for the identity: {type(failure).__name__}"
        return amber(_SUBJECT, text, "let the process reach STS, or trust what the engines say below.")
    return green(_SUBJECT, f"{caller['Arn']}, by {method}, region {session.region_name}")


def examine_opensearch(setup: Setup) -> list[Diagnosis]:
    """Say whether each node takes the login, and which version it is."""
    return [_node(setup, url) for url in setup.opensearch.get("hosts", ())]


def _node(setup: Setup, url: str) -> Diagnosis:
    subject = "OpenSearch login"
    try:
        answer = ask_node(setup, url)
    except (requests.RequestException, BotoCoreError) as failure:
        return red(subject, f"{url} does not answer: {type(failure).__name__}", "see that it runs, and its address.")
    if answer.status_code in (401, 403):
        step = "see OPENSEARCH_AUTH, name and password, or the role's policy."
        return red(subject, f"{url} refuses it (HTTP {answer.status_code}), auth {setup.opensearch['auth']}", step)
    if not answer.ok:
        return red(subject, f"{url} answers HTTP {answer.status_code}", "see the node's log.")
    version = answer.json().get("version", {})
    text = f"{url} takes it, auth {setup.opensearch['auth']}: {version.get('distribution', 'version')}"
    return green(subject, f"{text} {version.get('number', 'unknown')}")
