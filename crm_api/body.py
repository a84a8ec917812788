"""The body of a request, never read beyond the limit."""

import re
from typing import Any

from rest_framework.request import Request

from crm_api.errors import BodyTooLargeError, ContentTypeError, IncompleteBodyError

_CHUNK = 64 * 1024
_ALLOWED = "application/json in UTF-8"
_JSON = re.compile(r'application/json\s*(;\s*charset\s*=\s*"?utf-?8"?\s*)?;?\s*', re.IGNORECASE)


def check_content_type(request: Request) -> None:
    """Return if the body is announced as plain JSON.

    :raises ContentTypeError: it is something else, in another character set, or compressed.
    """
    content_type = request.META.get("CONTENT_TYPE", "")
    if not _JSON.fullmatch(content_type.strip()):
        raise ContentTypeError("Content-Type", content_type, _ALLOWED)
    encoding = request.META.get("HTTP_CONTENT_ENCODING", "")
    if encoding.strip().lower() not in ("", "identity"):
        raise ContentTypeError("Content-Encoding", encoding, "the body as it is")


def read_body(request: Request, limit: int) -> bytes:
    """Return the body, of at most ``limit`` bytes.

    :raises BodyTooLargeError: it is larger; at most one byte beyond the limit was read.
    :raises IncompleteBodyError: it ended before its announced length.
    """
    announced = _announced_length(request)
    if announced is not None and announced > limit:
        raise BodyTooLargeError(limit)
    body = _read(_stream(request), limit + 1 if announced is None else announced)
    if len(body) > limit:
        raise BodyTooLargeError(limit)
    if announced is not None and len(body) < announced:
        raise IncompleteBodyError
    return body


def _announced_length(request: Request) -> int | None:
    text = request.META.get("CONTENT_LENGTH") or ""
    if text.isdecimal():
        return int(text)
    # A server that ends chunked bodies for us says so; without either, PEP 3333 knows no end and so no body.
    return None if request.META.get("wsgi.input_terminated") else 0


def _stream(request: Request) -> Any:
    # Django's own stream takes a missing length for an empty body, which chunked ones are not.
    return request.META["wsgi.input"]


def _read(stream: Any, size: int) -> bytes:
    parts = []
    while size > 0:
        try:
            part = stream.read(min(size, _CHUNK))
        except OSError as error:
            raise IncompleteBodyError from error
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
