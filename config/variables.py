"""The variables there are: those that ``.env.example`` lists, which is the one place where all of them stand."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

# boto3's own, as far as deployments of this service set them; a typing error in one is as silent as in ours.
# https://boto3.amazonaws.com/v1/documentation/api/latest/guide/configuration.html#using-environment-variables
AWS_VARIABLES = frozenset(
    {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_PROFILE",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_CA_BUNDLE",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_EC2_METADATA_DISABLED",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_DYNAMODB",
        "AWS_ENDPOINT_URL_EVENTBRIDGE",
        "AWS_ENDPOINT_URL_SQS",
        "AWS_ENDPOINT_URL_STS",
    }
)
_ASSIGNMENT = re.compile(r"^(?P<name>[A-Z][A-Z0-9_]*)=(?P<default>.*)$", re.MULTILINE)
# Shorter names are like too many others: HOST and HOSTNAME, PORT and PORTS.
_SHORTEST = 6
_LIKENESS = 0.8


def documented_variables(example: Path) -> dict[str, str]:
    """Return every variable of the file with its default.

    :raises OSError: the file cannot be read.
    """
    return {match["name"]: match["default"] for match in _ASSIGNMENT.finditer(example.read_text())}


def likely_misspelt(environment: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """Return the names of the environment that nothing reads but that look like a known one, with that one.

    An environment is full of other programs' variables, so only likeness tells.
    """
    targets = [*known, *AWS_VARIABLES]
    strangers = [name for name in environment if name not in known and name not in AWS_VARIABLES]
    found = {}
    for name in strangers:
        close = get_close_matches(name.upper(), targets, n=1, cutoff=_LIKENESS) if len(name) >= _SHORTEST else []
        if close and close[0] not in environment:
            found[name] = close[0]
    return found
