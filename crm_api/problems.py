"""Every error as problem details (RFC 9457): one table says which error becomes which answer."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.views import defaults
from rest_framework.exceptions import MethodNotAllowed

from crm_api import errors
from crm_events.cdc.body import BodyError
from crm_events.ports.crm_source import CrmSourceError, NoSourceError, SourceRefusedError
from crm_events.ports.event_store import EventStoreUnavailableError, InvalidCursorError
from crm_events.ports.runs import UnknownRunError
from crm_projections.ports.queries import EntityNotFoundError, UnknownEntityError
from crm_projections.ports.read_model import InvalidPositionError, ReadModelUnavailableError

CONTENT_TYPE = "application/problem+json"
API_ROOT = "/api/"
RETRY_AFTER_SECONDS = 5
_TYPE_PREFIX = "urn:crm:problem:"
logger = logging.getLogger(__name__)


def _nothing(_error: Any) -> list[dict[str, Any]]:
    return []


def _no_headers(_error: Any) -> dict[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Problem:
    """How one class of errors is answered. Without a ``name`` the status says all there is to say."""

    status: HTTPStatus
    name: str
    title: str
    detail: Callable[[Any], str]
    errors: Callable[[Any], list[dict[str, Any]]] = _nothing
    headers: Callable[[Any], Mapping[str, str]] = _no_headers


def _faults(error: errors.ParametersError) -> list[dict[str, Any]]:
    return [
        {"parameter": fault.parameter, "detail": fault.detail, **({"allowed": fault.allowed} if fault.allowed else {})}
        for fault in error.faults
    ]


def _fault_names(error: errors.ParametersError) -> str:
    names = ", ".join(dict.fromkeys(fault.parameter for fault in error.faults))
    return f"The query string cannot be used: {names}. See “errors” for what is wrong and what is allowed."


def _not_found(error: EntityNotFoundError) -> str:
    if error.deleted:
        return f"The {error.entity} {error.entity_id} is deleted; include_deleted=true shows its last known values."
    return f"There is no {error.entity} {error.entity_id}."


def _unknown_entity(error: UnknownEntityError) -> str:
    return (
        f"There is no mapping for “{error.entity[:100]}”, so it has no lists and no documents; "
        f"mapped are {', '.join(error.known)}. "
        f"If it is a Salesforce object, entities/{error.entity[:100]}/RECORD_ID/events/ shows the events of a record."
    )


def _unavailable(_error: Exception) -> str:
    return "A database does not answer for now. Send the same request again after the seconds in Retry-After."


def _retry_later(_error: Exception) -> dict[str, str]:
    return {"Retry-After": str(RETRY_AFTER_SECONDS)}


def _content_type(error: errors.ContentTypeError) -> str:
    return f"{error.header} “{error.value[:100]}” is not taken here; send {error.allowed}."


_UNAVAILABLE = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "Not available for now", _unavailable, headers=_retry_later
)
_FOREIGN_CURSOR = Problem(
    HTTPStatus.BAD_REQUEST,
    "parameters",
    "Parameters that cannot be used",
    lambda _: "The cursor does not fit this list. Start again without it.",
    lambda _: [
        {
            "parameter": "cursor",
            "detail": "It was not given for this list.",
            "allowed": ["the cursor in “next” of the page before"],
        }
    ],
)
PROBLEMS: Mapping[type[Exception], Problem] = {
    errors.ParametersError: Problem(
        HTTPStatus.BAD_REQUEST, "parameters", "Parameters that cannot be used", _fault_names, _faults
    ),
    InvalidCursorError: _FOREIGN_CURSOR,
    InvalidPositionError: _FOREIGN_CURSOR,
    BodyError: Problem(
        HTTPStatus.BAD_REQUEST,
        "body",
        "A body that cannot be read",
        lambda error: error.detail,
        lambda error: [
            {
                "pointer": "",
                "code": error.code,
                "detail": error.detail,
                "allowed": ["one JSON object", "an array of JSON objects"],
            }
        ],
    ),
    errors.BodyFaultsError: Problem(
        HTTPStatus.BAD_REQUEST,
        "body",
        "A body that cannot be read",
        lambda _: "The body cannot be used. See “errors” for what is wrong and what is allowed.",
        lambda error: [
            {"pointer": one.pointer, "detail": one.detail, **({"allowed": list(one.allowed)} if one.allowed else {})}
            for one in error.faults
        ],
    ),
    errors.RunConflictError: Problem(
        HTTPStatus.CONFLICT, "run-conflict", "The run cannot be so", lambda error: error.detail
    ),
    UnknownRunError: Problem(
        HTTPStatus.NOT_FOUND, "no-run", "There is no such run", lambda _: "There is no run of this number."
    ),
    NoSourceError: Problem(
        HTTPStatus.CONFLICT, "no-source", "Salesforce is not set up", lambda error: f"{error.detail}."
    ),
    SourceRefusedError: Problem(
        HTTPStatus.BAD_REQUEST,
        "salesforce-refuses",
        "Salesforce refuses this",
        lambda error: f"Salesforce refuses this: {error}. Correct the object or the condition.",
    ),
    CrmSourceError: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "salesforce-unavailable",
        "Salesforce does not answer",
        lambda error: f"Salesforce could not be asked: {error}. Try again later, or ask the engineer on call.",
        headers=_retry_later,
    ),
    errors.IncompleteBodyError: Problem(
        HTTPStatus.BAD_REQUEST,
        "body",
        "A body that cannot be read",
        lambda _: "The connection ended before the whole body had come. Nothing was stored; send it again.",
    ),
    errors.KeyRequiredError: Problem(
        HTTPStatus.UNAUTHORIZED,
        "key-required",
        "An API key is required",
        lambda _: "Send an API key in the header “Authorization: Bearer KEY”.",
        headers=lambda _: {"WWW-Authenticate": "Bearer"},
    ),
    errors.KeyRejectedError: Problem(
        HTTPStatus.UNAUTHORIZED,
        "key-rejected",
        "The API key is not valid",
        lambda _: "The API key is unknown, revoked or expired, or the header is not “Authorization: Bearer KEY”.",
        headers=lambda _: {"WWW-Authenticate": 'Bearer error="invalid_token"'},
    ),
    errors.ScopeMissingError: Problem(
        HTTPStatus.FORBIDDEN,
        "scope-missing",
        "The API key does not allow this",
        lambda error: f"The key “{error.key_name}” lacks the scope {' or '.join(error.scopes)}.",
        headers=lambda error: {
            "WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{" ".join(error.scopes)}"'
        },
    ),
    UnknownEntityError: Problem(HTTPStatus.NOT_FOUND, "unknown-entity", "There is no such entity", _unknown_entity),
    EntityNotFoundError: Problem(HTTPStatus.NOT_FOUND, "no-document", "There is no such document", _not_found),
    errors.UnknownRecordError: Problem(
        HTTPStatus.NOT_FOUND,
        "no-record",
        "There is no such record",
        lambda error: f"No event of {error.entity[:100]} {error.record_id[:100]} ever came.",
    ),
    errors.UnknownObjectError: Problem(
        HTTPStatus.NOT_FOUND,
        "unknown-entity",
        "There is no such entity",
        lambda error: f"“{error.name[:100]}” is neither a mapped entity nor the name of a Salesforce object.",
    ),
    errors.UnknownDeliveryError: Problem(
        HTTPStatus.NOT_FOUND,
        "no-delivery",
        "There is no such delivery",
        lambda _: "There is no delivery of this id, or it was removed after its retention time.",
    ),
    Http404: Problem(
        HTTPStatus.NOT_FOUND, "", "", lambda _: "There is nothing at this address. /api/docs/ lists what there is."
    ),
    MethodNotAllowed: Problem(
        HTTPStatus.METHOD_NOT_ALLOWED, "", "", lambda _: "This address does not take the method; see the header Allow."
    ),
    errors.BodyTooLargeError: Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "body-too-large",
        "The body is too large",
        lambda error: f"A body may have {error.limit} bytes. Send its events in several requests.",
    ),
    errors.ContentTypeError: Problem(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "content-type",
        "The content type is not taken here",
        _content_type,
        headers=lambda _: {"Accept-Post": "application/json", "Accept-Encoding": "identity"},
    ),
    errors.RateExceededError: Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "rate-exceeded",
        "Too many requests",
        lambda error: f"This key may make {error.rate} requests. Go on after the seconds in Retry-After.",
        headers=lambda error: {"Retry-After": str(error.retry_after)},
    ),
    OperationalError: _UNAVAILABLE,
    InterfaceError: _UNAVAILABLE,
    EventStoreUnavailableError: _UNAVAILABLE,
    ReadModelUnavailableError: _UNAVAILABLE,
}
_UNEXPECTED = Problem(
    HTTPStatus.INTERNAL_SERVER_ERROR, "", "", lambda _: "The service failed. The cause is in its log."
)


def problem_response(error: Exception) -> HttpResponse:
    """Return the answer to an error; one that the table does not know is a 500 and goes to the log."""
    problem = next((PROBLEMS[kind] for kind in type(error).__mro__ if kind in PROBLEMS), _UNEXPECTED)
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("request failed: %s", type(error).__name__, exc_info=error)
    return _render(problem, error)


def exception_handler(error: Exception, _context: Mapping[str, Any]) -> HttpResponse:
    """Answer whatever a view of the API raised."""
    return problem_response(error)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django itself refuses, such as an unknown host name."""
    if not is_api(request):
        return defaults.bad_request(request, exception)
    detail = "The request cannot be read: its host name, its path or one of its headers is not allowed."
    return _render(Problem(HTTPStatus.BAD_REQUEST, "", "", lambda _: detail), exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that leads nowhere."""
    return problem_response(Http404()) if is_api(request) else defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a failure outside the API's own views."""
    return _render(_UNEXPECTED, RuntimeError()) if is_api(request) else defaults.server_error(request)


def is_api(request: HttpRequest) -> bool:
    """Say whether the request is to the API and so wants problem details, never HTML."""
    return request.path.startswith(API_ROOT)


def _render(problem: Problem, error: Exception) -> HttpResponse:
    body: dict[str, Any] = {
        "type": _TYPE_PREFIX + problem.name if problem.name else "about:blank",
        "title": problem.title or problem.status.phrase,
        "status": int(problem.status),
        "detail": problem.detail(error),
    }
    found = problem.errors(error)
    if found:
        body["errors"] = found
    return HttpResponse(
        orjson.dumps(body),
        status=int(problem.status),
        content_type=CONTENT_TYPE,
        headers=dict(problem.headers(error)),
    )
