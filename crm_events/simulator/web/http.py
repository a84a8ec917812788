"""Requests and answers of the org, and the errors in the form of Salesforce's REST API."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import orjson
from waitress.channel import ClientDisconnected

from crm_events.domain.errors import CrmError

Headers = dict[str, str]
# Of what Salesforce takes in one request.
_MAX_BODY_BYTES = 50 * 1024 * 1024


class ApiError(CrmError):
    """An answer that is no success: status, errorCode, message and the fields it is about."""

    def __init__(self, status: int, code: str, message: str, fields: Iterable[str] | None = None) -> None:
        super().__init__(status, code, message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = None if fields is None else list(fields)

    @property
    def answer(self) -> "Answer":
        """Return the body that the REST API has for it: a list."""
        error: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            error["fields"] = self.fields
        return json_answer([error], self.status)


class HangUpError(ClientDisconnected):  # type: ignore[misc]  # waitress is not typed
    """The connection is to be cut; the web server takes it as if the caller had gone, and sends no more."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked. ``url`` is the path with its query, ``root`` the address of the org as the caller wrote it."""

    method: str
    path: str
    url: str
    root: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def of(cls, environ: Mapping[str, Any]) -> "Request":
        """Read a request of WSGI."""
        length = min(int(environ.get("CONTENT_LENGTH") or 0), _MAX_BODY_BYTES)
        path = environ.get("PATH_INFO", "/").encode("latin-1").decode("utf-8", "replace")
        query = environ.get("QUERY_STRING", "")
        return cls(
            method=environ["REQUEST_METHOD"],
            path=path,
            url=f"{path}?{query}" if query else path,
            root=f"{environ['wsgi.url_scheme']}://{environ.get('HTTP_HOST', environ['SERVER_NAME'])}",
            query=dict(parse_qsl(query, keep_blank_values=True)),
            headers={name[5:]: str(value) for name, value in environ.items() if name.startswith("HTTP_")},
            body=environ["wsgi.input"].read(length) if length else b"",
        )

    def json(self) -> Any:
        """Return the body's value.

        :raises ApiError: JSON_PARSER_ERROR.
        """
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise ApiError(400, "JSON_PARSER_ERROR", str(error)) from error

    def form(self) -> dict[str, str]:
        """Return the fields of a form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclass(slots=True)
class Answer:
    """What is sent back; a body in pieces is sent as it is made."""

    status: int = HTTPStatus.OK
    body: bytes | Iterable[bytes] = b""
    headers: Headers = field(default_factory=dict)

    def send(self, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Hand the answer to WSGI."""
        reason = HTTPStatus(self.status).phrase
        headers = dict(self.headers)
        if isinstance(self.body, bytes):
            headers["Content-Length"] = str(len(self.body))
        start_response(f"{self.status} {reason}", list(headers.items()))
        return [self.body] if isinstance(self.body, bytes) else self.body


def json_answer(value: Any, status: int = HTTPStatus.OK) -> Answer:
    """Return a value as JSON."""
    return Answer(status, orjson.dumps(value), {"Content-Type": "application/json;charset=UTF-8"})


def text_answer(text: str, content_type: str, status: int = HTTPStatus.OK) -> Answer:
    """Return a text of some type."""
    return Answer(status, text.encode(), {"Content-Type": f"{content_type}; charset=utf-8"})


def not_found() -> ApiError:
    """Return the error for an address that nothing stands at."""
    return ApiError(404, "NOT_FOUND", "The requested resource does not exist")
