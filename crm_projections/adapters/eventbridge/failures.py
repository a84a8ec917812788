"""What EventBridge's errors mean: whether to try again, and what to tell an operator."""

from typing import Final

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError, PartialCredentialsError

from crm_projections.ports.broadcaster import BroadcasterUnavailableError

AwsError = ClientError | BotoCoreError

# Codes of single entries that AWS calls worth another try; it says the others are not:
# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
RETRYABLE: Final = frozenset(
    {"InternalFailure", "InternalException", "ServiceUnavailable", "ThrottlingException", "Throttling"}
)
_ENTRY_ADVICE: Final = {
    "InternalFailure": "EventBridge failed inside. Next: nothing, it is sent again",
    "ThrottlingException": (
        "EventBridge takes no more for now. Next: nothing, it is sent again; if this stays,"
        " have the account's quota for PutEvents raised"
    ),
    "AccessDeniedException": "These credentials may not send to the bus. Next: allow events:PutEvents on it",
    "NotAuthorizedForSourceException": (
        "These credentials may not send with this source. Next: correct EVENTBRIDGE_SOURCE (it must not begin with"
        " “aws.”) or the policy"
    ),
    "NotAuthorizedForDetailTypeException": (
        "These credentials may not send this detail type. Next: correct the policy's condition on events:detail-type"
    ),
    "InvalidAccountIdException": "The bus names an account that is not valid. Next: correct EVENTBRIDGE_BUS",
    "MalformedDetail": "EventBridge cannot read the message. Next: have the mapping corrected",
    "InvalidArgument": "EventBridge refuses the message. Next: correct EVENTBRIDGE_SOURCE or the mapping",
}
_REFUSED_CALLS: Final = frozenset({"ValidationException", "ValidationError", "RequestEntityTooLarge", "413"})
_CREDENTIALS: Final = "Next: correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the role of this machine"
_CALL_ADVICE: Final = {
    "AccessDeniedException": "Next: allow events:PutEvents and events:DescribeEventBus on the bus",
    "UnrecognizedClientException": _CREDENTIALS,
    "InvalidClientTokenId": _CREDENTIALS,
    "InvalidSignatureException": f"{_CREDENTIALS}; if they are right, set the machine's clock",
    "ExpiredTokenException": "Next: renew the credentials; they have expired",
    "ThrottlingException": (
        "Next: nothing, messages are sent again; if this stays, have the account's quota for PutEvents raised"
    ),
}
_PASSING: Final = (
    "Next: nothing if this passes, messages are sent again; if it stays, see whether EventBridge is reached"
)


def entry_error(code: str, message: str) -> str:
    """Return what to tell an operator of an entry that was not taken."""
    advice = _ENTRY_ADVICE.get(code, "EventBridge did not take the message. Next: look its answer up")
    return f"{advice} ({code}: {message})." if message else f"{advice} ({code})."


def code_of(error: AwsError) -> str:
    """Return AWS's code of an error of a whole call; empty if there was no answer."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def is_refused_request(error: AwsError) -> bool:
    """Say whether the call failed for what was in it, so that another call may do better."""
    return code_of(error) in _REFUSED_CALLS


def unavailable(error: AwsError) -> BroadcasterUnavailableError:
    """Return the port's error for a call that may succeed later."""
    said = str(error).rstrip(".")
    return BroadcasterUnavailableError(f"EventBridge cannot be used: {said}. {_advice(error)}.")


def bus_is_missing(bus: str, region: str) -> BroadcasterUnavailableError:
    """Return the port's error for a bus that does not exist."""
    return BroadcasterUnavailableError(
        f"The event bus “{bus}” does not exist in {region}. EventBridge would take messages for it and drop them, so"
        " none was sent. Next: correct EVENTBRIDGE_BUS, or make the bus with manage.py provision."
    )


def _advice(error: AwsError) -> str:
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return _CREDENTIALS
    if isinstance(error, NoRegionError):
        return "Next: set AWS_DEFAULT_REGION"
    return _CALL_ADVICE.get(code_of(error), _PASSING)
