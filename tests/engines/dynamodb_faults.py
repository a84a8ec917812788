"""Faults that no local DynamoDB shows by itself, put between the client and a real engine by botocore's events."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError

from crm_events.adapters.dynamodb.connection import Connection

Hook = Callable[..., Any]
_ERRORS = "com.amazonaws.dynamodb.v20120810#"


@contextmanager
def hooked(connection: Connection, event: str, hook: Hook) -> Iterator[None]:
    """Call ``hook`` at an event of botocore, such as ``before-send.dynamodb.Query``."""
    events = connection.client.meta.events
    events.register_first(event, hook)
    try:
        yield
    finally:
        events.unregister(event, hook)


class Times:
    """Let something happen a number of times, and count how often it was asked for."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.asked = 0

    def take(self) -> bool:
        self.asked += 1
        self.left -= 1
        return self.left >= 0


@contextmanager
def answering(
    connection: Connection, operation: str, times: int, code: str, status: int = 400, **fields: Any
) -> Iterator[Times]:
    """Answer the first calls of an operation, with an error unless ``status`` is 200; the engine hears of none."""
    count = Times(times)

    def answer(request: AWSRequest, **_: Any) -> AWSResponse | None:
        body = {"__type": _ERRORS + code, "message": code, **fields}
        return _response(request, body, status) if count.take() else None

    with hooked(connection, f"before-send.dynamodb.{operation}", answer):
        yield count


@contextmanager
def cancelling(connection: Connection, times: int, code: str) -> Iterator[Times]:
    """Cancel the first transactions, each because of its first action."""
    count = Times(times)

    def answer(request: AWSRequest, **_: Any) -> AWSResponse | None:
        if not count.take():
            return None
        body: Any = request.body
        actions = len(json.loads(body)["TransactItems"])
        reasons = [{"Code": code}, *[{"Code": "None"}] * (actions - 1)]
        return _response(request, {"__type": _ERRORS + "TransactionCanceledException", "CancellationReasons": reasons})

    with hooked(connection, "before-send.dynamodb.TransactWriteItems", answer):
        yield count


@contextmanager
def resetting(connection: Connection, operation: str, times: int, *, done: bool = False) -> Iterator[Times]:
    """Reset the connection of the first calls; ``done``: only after the engine did what they asked for."""
    count = Times(times)

    def reset(request: AWSRequest, **_: Any) -> None:
        if count.take():
            if done:
                client: Any = connection.client
                client._endpoint.http_session.send(request)
            raise ConnectionClosedError(endpoint_url=str(request.url))

    with hooked(connection, f"before-send.dynamodb.{operation}", reset):
        yield count


@contextmanager
def doing_half(connection: Connection, operation: str, leave: Callable[[Any, Any], None], key: str) -> Iterator[Times]:
    """Let only half of what the parameter ``key`` asks for reach the engine, every second call from the first on.

    ``leave`` puts the other half into the answer as what was left undone.
    """
    count = Times(10**6)

    # The context is the call's own: several threads may be calling.
    def cut(params: dict[str, Any], context: dict[str, Any], **_: Any) -> dict[str, Any]:
        if count.take() and count.asked % 2 == 0:
            return params
        half, context["undone"] = _halves(params[key])
        return {**params, key: half}

    def add(parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        if rest := context.pop("undone", None):
            leave(parsed, rest)

    with (
        hooked(connection, f"provide-client-params.dynamodb.{operation}", cut),
        hooked(connection, f"after-call.dynamodb.{operation}", add),
    ):
        yield count


def _halves(whole: Any) -> tuple[Any, Any]:
    if isinstance(whole, list):
        middle = (len(whole) + 1) // 2
        return whole[:middle], whole[middle:]
    ((table, part),) = whole.items()
    if isinstance(part, list):
        half, rest = _halves(part)
    else:
        (half, rest) = ({**part, "Keys": keys} for keys in _halves(part["Keys"]))
    empty = not (rest if isinstance(rest, list) else rest["Keys"])
    return {table: half}, None if empty else {table: rest}


def _response(request: AWSRequest, body: dict[str, Any], status: int = 400) -> AWSResponse:
    content = BytesIO(json.dumps(body).encode())
    return AWSResponse(str(request.url), status, HTTPHeaders(), _Raw(content))


class _Raw:
    """What urllib3 would hand over."""

    def __init__(self, content: BytesIO) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        yield self._content.read()
