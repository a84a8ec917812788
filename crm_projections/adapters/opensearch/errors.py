"""From what OpenSearch and the network answer to the port's errors, in words for an operator."""

from typing import Any

from opensearchpy.exceptions import ConnectionError as OpenSearchConnectionError
from opensearchpy.exceptions import ConnectionTimeout, OpenSearchException, SSLError, TransportError

from crm_projections.ports.read_model import ReadModelError, ReadModelUnavailableError

TOO_MANY_REQUESTS, FORBIDDEN, UNAUTHORIZED, NOT_FOUND, CONFLICT, BAD_REQUEST = 429, 403, 401, 404, 409, 400
TOO_LARGE = 413
_BUSY = frozenset({TOO_MANY_REQUESTS, 502, 503, 504})
_BLOCKED, _NO_INDEX = "cluster_block_exception", "index_not_found_exception"
_SIGNS = (
    (
        ("CERTIFICATE_VERIFY_FAILED", "certificate verify failed"),
        "OpenSearch's certificate at {where} is not trusted. Next: name its authority's file in OPENSEARCH_CA_CERTS.",
    ),
    (
        ("WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL"),
        "What answers at {where} does not speak TLS. Next: correct https to http in OPENSEARCH_URLS.",
    ),
    (
        ("Name or service not known", "NameResolutionError", "Temporary failure in name resolution", "getaddrinfo"),
        "The name of OpenSearch's host is not known: {where}. Next: correct OPENSEARCH_URLS.",
    ),
    (
        ("Connection refused",),
        "Nothing listens at {where}. Next: see that OpenSearch runs and that OPENSEARCH_URLS names it.",
    ),
)


class IndexMissingError(ReadModelError):
    """What was asked has no such index or alias (any more)."""


def translate(error: Exception, where: str) -> ReadModelError:
    """Return the port's error for one of the client."""
    if isinstance(error, ConnectionTimeout):
        return ReadModelUnavailableError(
            f"OpenSearch at {where} did not answer in time. Next: see how busy the cluster is; work goes on by itself."
        )
    if isinstance(error, OpenSearchConnectionError):
        return ReadModelUnavailableError(_connection_words(error, where))
    if isinstance(error, TransportError) and isinstance(error.status_code, int):
        return _from_status(error.status_code, error.info if isinstance(error.info, dict) else {}, where)
    return ReadModelUnavailableError(f"OpenSearch at {where} cannot be used: {_first_line(error)}.")


def is_worth_another_try(error: OpenSearchException) -> bool:
    """Say whether the same request may soon succeed."""
    if isinstance(error, SSLError):
        return False
    if isinstance(error, OpenSearchConnectionError):
        return not any(sign in str(error) for signs, _ in _SIGNS[:3] for sign in signs)
    return isinstance(error, TransportError) and error.status_code in _BUSY


def is_passing(status: int, error_type: str) -> bool:
    """Say whether a part of a batch was refused for a reason that passes."""
    return status in _BUSY or status >= 500 or error_type == _BLOCKED  # noqa: PLR2004  # HTTP's server errors


def refused_for_now(status: int, reason: str, where: str) -> ReadModelUnavailableError:
    """Return the error for a part of a batch that is still refused after all attempts."""
    return ReadModelUnavailableError(_status_words(status, reason, where))


def reason_of(info: Any) -> str:
    """Return why OpenSearch refused, from the body of its answer."""
    error = info.get("error") if isinstance(info, dict) else None
    if not isinstance(error, dict):
        return str(error or (info.get("message") if isinstance(info, dict) else None) or "no reason given")
    causes = error.get("root_cause") or [error]
    return str(causes[0].get("reason") or error.get("reason") or error.get("type"))


def error_of_part(error: dict[str, Any], where: str) -> ReadModelError:
    """Return the port's error for one item of an answer."""
    reason = str(error.get("reason") or error.get("type"))
    if error.get("type") == _NO_INDEX:
        return IndexMissingError(_status_words(NOT_FOUND, reason, where))
    return refused_for_now(503, reason, where)


def _from_status(status: int, info: dict[str, Any], where: str) -> ReadModelError:
    words = _status_words(status, reason_of(info), where)
    if status == NOT_FOUND and _type_of(info) == _NO_INDEX:
        return IndexMissingError(words)
    if status in _BUSY or status >= 500 or status in {UNAUTHORIZED, FORBIDDEN}:  # noqa: PLR2004  # server errors
        return ReadModelUnavailableError(words)
    return ReadModelError(words)


def _status_words(status: int, reason: str, where: str) -> str:
    if "read-only" in reason or "FORBIDDEN/12" in reason or "FORBIDDEN/8" in reason:
        return (
            f"OpenSearch at {where} takes no writes: {reason}."
            " Next: make room on its disks; the block goes away by itself once there is."
        )
    if status == UNAUTHORIZED:
        return (
            f"OpenSearch at {where} does not accept the name or password."
            " Next: correct OPENSEARCH_AUTH, OPENSEARCH_USERNAME and OPENSEARCH_PASSWORD."
        )
    if status == FORBIDDEN:
        return (
            f"OpenSearch at {where} does not allow this: {reason}."
            " Next: give the service's user or role the right to make, write and read the indices of its prefix."
        )
    if status == TOO_MANY_REQUESTS:
        return f"OpenSearch at {where} has too much to do: {reason}. Next: wait, or give the cluster more room."
    if status in _BUSY or status >= 500:  # noqa: PLR2004  # HTTP's server errors
        return f"OpenSearch at {where} cannot answer now: {reason}. Next: see the cluster's health."
    return f"OpenSearch at {where} refuses a request: {reason}."


def _type_of(info: dict[str, Any]) -> str:
    error = info.get("error")
    return str(error.get("type")) if isinstance(error, dict) else ""


def _connection_words(error: Exception, where: str) -> str:
    text = str(error)
    for signs, words in _SIGNS:
        if any(sign in text for sign in signs):
            return words.format(where=where)
    return f"The connection to OpenSearch at {where} broke: {_first_line(error)}. Next: see that it runs."


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300].rstrip(".")
