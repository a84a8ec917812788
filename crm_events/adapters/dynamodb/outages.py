"""Errors of AWS and of the way to it, in plain words that say the next step."""

from typing import Any, Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    TokenRetrievalError,
)

from crm_events.ports.event_store import EventStoreUnavailableError

# Codes of the DynamoDB Developer Guide, Programming.Errors, with the short forms that batches and transactions use.
THROTTLED: Final = frozenset(
    {
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "Throttling",
        "ThrottlingError",
        "ThrottlingException",
        "LimitExceededException",
    }
)
_NOT_ACCEPTED = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_NO_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, TokenRetrievalError)
_MISSING = frozenset({"ResourceNotFound", "ResourceNotFoundException"})
_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
_IN_USE = frozenset({"ResourceInUseException"})
_FAILED = frozenset({"InternalServerError", "TransactionInProgressException"})
_SERVER_ERROR = 500


class MissingTableError(EventStoreUnavailableError):
    """A table does not exist."""


def throttled_words(table: str) -> str:
    """Say that a table takes no more for now."""
    return (
        f"DynamoDB takes no more requests for {table} for now. The work is tried again by itself; if it stays so,"
        " look at the table's throttled requests and raise its limits."
    )


def missing_words(table: str) -> str:
    """Say that a table is not there."""
    return f"The table {table} does not exist in DynamoDB. Create it: manage.py provision."


def outage_of(error: Exception, parameters: dict[str, Any]) -> EventStoreUnavailableError | None:
    """Return the outage that an error of a call means, or ``None`` if it is no outage."""
    words = ""
    if isinstance(error, ClientError):
        if error.response["Error"].get("Code") in _MISSING:
            return MissingTableError(missing_words(named_tables(parameters)))
        words = _words_of_refusal(error, named_tables(parameters))
    elif isinstance(error, BotoCoreError):
        words = _words_of_no_answer(error)
    return EventStoreUnavailableError(words) if words else None


def _words_of_refusal(error: ClientError, table: str) -> str:
    code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in THROTTLED:
        return throttled_words(table)
    if code in _NOT_ACCEPTED:
        return f"DynamoDB does not accept the AWS credentials of this service ({code}). Renew them or the role."
    if code in _DENIED:
        return f"The AWS credentials lack a right: {message}. Give it to the role of this service."
    if code in _IN_USE:
        return f"The table {table} is being made or changed by somebody else. Try again when that is done."
    if code == "ValidationException" and "specified index" in message:
        return f"The table {table} lacks an index: {message}. Create it: manage.py provision."
    failed = status >= _SERVER_ERROR or code in _FAILED
    return f"DynamoDB failed ({code or status}). The work is tried again by itself." if failed else ""


def _words_of_no_answer(error: BotoCoreError) -> str:
    if isinstance(error, ParamValidationError):
        return ""
    if isinstance(error, NoRegionError):
        return "No AWS region is set. Set AWS_DEFAULT_REGION."
    if isinstance(error, _NO_CREDENTIALS):
        return f"There are no AWS credentials ({error}). Give this service a role, or set AWS_ACCESS_KEY_ID."
    return f"DynamoDB does not answer: {error}. Check the network, AWS_DEFAULT_REGION and AWS_ENDPOINT_URL_DYNAMODB."


def named_tables(parameters: dict[str, Any]) -> str:
    """Return the names of the tables that a call is about, as words."""
    names = {parameters["TableName"]} if "TableName" in parameters else set(parameters.get("RequestItems", ()))
    for action in parameters.get("TransactItems", ()):
        names |= {one["TableName"] for one in action.values()}
    for statement in parameters.get("Statements", ()):
        names.add(statement["Statement"].split('"')[1])
    return " or ".join(sorted(names)) or "this service"
