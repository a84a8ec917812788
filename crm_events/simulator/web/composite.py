"""Several reads in one call (REST API Developer Guide, "Composite"); of what a composite may hold, only GET."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson

from crm_events.simulator.web.http import Answer, ApiError, Request, json_answer

_MOST_REQUESTS = 25


def composite(request: Request, ask: Callable[[Request], Answer]) -> Answer:
    """Answer with the answers to all parts; the whole counts as one call, and its URLs may have any length."""
    body = request.json()
    parts = body.get("compositeRequest") if isinstance(body, dict) else None
    if not isinstance(parts, list) or not 0 < len(parts) <= _MOST_REQUESTS:
        raise ApiError(400, "INVALID_INPUT", f"compositeRequest wants 1 to {_MOST_REQUESTS} requests")
    return json_answer({"compositeResponse": [_part(request, part, ask) for part in parts]})


def _part(request: Request, part: Mapping[str, Any], ask: Callable[[Request], Answer]) -> dict[str, Any]:
    try:
        answer = ask(_request_of(request, part))
    except ApiError as error:
        answer = error.answer
    body = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
    return {
        "body": orjson.loads(body) if body else None,
        "httpHeaders": {},
        "httpStatusCode": int(answer.status),
        "referenceId": part.get("referenceId"),
    }


def _request_of(request: Request, part: Mapping[str, Any]) -> Request:
    url = str(part.get("url", ""))
    if part.get("method") != "GET" or not url.startswith("/services/data/"):
        raise ApiError(400, "INVALID_INPUT", "Only GET of /services/data/ is answered here")
    path, _, query = url.partition("?")
    return Request("GET", path, url, request.root, dict(parse_qsl(query)), request.headers, b"")
