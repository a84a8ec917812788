"""What an error of Salesforce or of the library means for whoever reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceError

from crm_events.ports.crm_source import (
    CrmSourceError,
    CursorExpiredError,
    SourceAccessError,
    SourceLimitError,
    SourceRefusedError,
    SourceUnavailableError,
)

_LONGEST_DETAIL = 500
# Of client errors, those that pass by themselves.
_PASSING = {
    "SERVER_UNAVAILABLE",
    "UNABLE_TO_LOCK_ROW",
    "QUERY_TIMEOUT",
    "REQUEST_RUNNING_TOO_LONG",
    "UNKNOWN_EXCEPTION",
    "server_error",
    "temporarily_unavailable",
    "unknown_error",
}
_PASSING_STATUS = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
_NO_ACCESS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "Salesforce refuses a session it has just given",
    HTTPStatus.FORBIDDEN: "The API user may not do this; check its permissions",
}
_REDIRECTED = "Salesforce points to another address; check SALESFORCE_URL"
_CURSOR_CODES = {"INVALID_QUERY_LOCATOR", "INVALID_LOCATOR"}
# By a part of Salesforce's own words: what an operator should look at. The first that fits counts.
_ADVICE = {
    "hasn't approved": (
        "The user may not use the connected app: let its policy be “Admin approved users are pre-authorized”, and add "
        "the user's profile or permission set to it"
    ),
    "not admin approved": "Add the API user's profile or permission set to the connected app",
    "audience": "A sandbox has another address than production: check SALESFORCE_URL",
    "not supported on this domain": "SALESFORCE_URL wants the org's My Domain",
    "client credentials": ("Switch the client credentials flow on in the connected app, and name the user it runs as"),
    "expired": "Check the clock of this machine, and that SALESFORCE_USERNAME exists in this org",
    "invalid_client": (
        "Check SALESFORCE_CLIENT_ID and SALESFORCE_CLIENT_SECRET; a new connected app takes some minutes to be known"
    ),
    "invalid assertion": (
        "The certificate of the connected app has to be that of the private key; check both, SALESFORCE_CLIENT_ID and "
        "SALESFORCE_USERNAME"
    ),
    "inactive": "The user or the org is not active",
    "invalid_grant": (
        "Check SALESFORCE_USERNAME, that the user exists in this org and is active, and the certificate of the "
        "connected app"
    ),
}
_OTHER_ADVICE = "Check the variables that begin with SALESFORCE_"


def read_error(status: object, content: Any) -> tuple[str, str]:
    """Return errorCode and message of an error body: a list, a dict, or text that a proxy made."""
    body = content[0] if isinstance(content, list) and content else content
    if isinstance(body, dict):
        code = body.get("errorCode") or body.get("error") or body.get("exceptionCode") or f"HTTP_{status}"
        detail = body.get("message") or body.get("error_description") or body.get("exceptionMessage") or ""
        return str(code), str(detail)[:_LONGEST_DETAIL]
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body or "")
    return f"HTTP_{status}", text[:_LONGEST_DETAIL]


def translate(error: SalesforceError) -> CrmSourceError:
    """Return our own error for one of the library, which would not survive a task queue."""
    return error_of_answer(error.status, error.content)


def error_of_answer(status: int, content: Any) -> CrmSourceError:
    """Return our error for an answer that is one."""
    code, detail = read_error(status, content)
    if code == "REQUEST_LIMIT_EXCEEDED":
        return _limit(code, detail)
    if code in _CURSOR_CODES:
        return CursorExpiredError(code, f"The cursor is too old; begin the read again. {detail}")
    if status == HTTPStatus.CONFLICT:
        return CursorExpiredError(code, f"This belongs to another API version; begin the read again. {detail}")
    if _is_passing(status, code):
        return SourceUnavailableError(code, f"Salesforce cannot answer for now: {detail}")
    if status in _NO_ACCESS or status < HTTPStatus.BAD_REQUEST:
        return SourceAccessError(code, f"{_NO_ACCESS.get(status, _REDIRECTED)}. {detail}")
    return SourceRefusedError(code, detail)


def _is_passing(status: int, code: str) -> bool:
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _PASSING_STATUS or code in _PASSING


def _limit(code: str, detail: str) -> CrmSourceError:
    # The same code tells of too many long calls at one time, which is over within minutes.
    if "oncurrent" in detail:
        return SourceUnavailableError(code, f"Too many long calls are under way in the org: {detail}")
    return SourceLimitError(code, f"The org's API calls of 24 hours are used up: {detail}")


@contextmanager
def expected_answer() -> Iterator[None]:
    """Turn what an answer of another shape leads to into our error; only around the reading of one."""
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        detail = f"What answers is JSON, but not Salesforce's; check SALESFORCE_URL and proxies: {error!r}"
        raise SourceUnavailableError("BAD_ANSWER", detail) from error


def login_error(error: SalesforceAuthenticationFailed) -> CrmSourceError:
    """Return our error for a refused login, with words on what to check."""
    code, detail = str(error.code), str(error.auth_message or "")[:_LONGEST_DETAIL]
    status = error.code if isinstance(error.code, int) else 0
    if _is_passing(status, code):
        return SourceUnavailableError(code, f"Salesforce cannot log us in for now: {detail}")
    if status:
        return SourceAccessError(f"HTTP_{code}", "What answers the login is not Salesforce; check SALESFORCE_URL")
    said = f"{code} {detail}".lower()
    advice = next((advice for part, advice in _ADVICE.items() if part in said), _OTHER_ADVICE)
    return SourceAccessError(code, f"Salesforce does not let us in: {detail or code}. {advice}")
