"""The list endpoint against its SQL alone."""

from collections.abc import Callable
from http import HTTPStatus
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.test import Client

from benchmarks import load, service
from benchmarks.report import Result, median_milliseconds, seconds

DOCUMENTS = 10_000
ROUNDS = 100
Statement = tuple[str, Any]
PATHS = {
    "list, first page": "/api/v1/clients/",
    "list, filter and sort": "/api/v1/clients/?status=Active&sort=-name&page_size=25",
    "list, text search": "/api/v1/clients/?q=marine%20123",
}


def measure_api() -> list[Result]:
    """Compare the median answer of the list endpoint with running its SQL and fetching the rows."""
    for body in load.bodies(load.history(range(DOCUMENTS), range(1)), 500):
        service.accept(body)
    service.drain()
    client = api_client()
    return [_measure(name, path, client) for name, path in PATHS.items()]


def api_client() -> Client:
    """Return a caller of the API with a key."""
    return Client(headers={"authorization": f"Bearer {_api_key()}"}, SERVER_NAME="localhost")


def _api_key() -> str:
    out = StringIO()
    call_command("create_api_key", "bench", "--scopes", "read", stdout=out, stderr=StringIO())
    return out.getvalue().strip().splitlines()[-1]


def _measure(name: str, path: str, client: Client) -> Result:
    statements = _reading_statements(path, client)
    answers, queries = [], []
    for _ in range(ROUNDS):
        # In turns, so that both meet the same noise.
        answers.append(seconds(lambda: client.get(path).content))
        queries.append(seconds(lambda: _run(statements)))
    ours, yardstick = median_milliseconds(answers), median_milliseconds(queries)
    return Result(f"API {name}", f"{ours:.2f} ms", f"{yardstick:.2f} ms", f"{ours / yardstick:.2f}x", "2x")


def _reading_statements(path: str, client: Client) -> list[Statement]:
    """Return the SELECTs of one request with their parameters, once caches are warm."""
    found: list[Statement] = []

    def note(
        execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: dict[str, Any]
    ) -> Any:  # Django's signature
        if sql.startswith(("SELECT", "WITH")):
            found.append((sql, parameters))
        return execute(sql, parameters, many, context)

    client.get(path)
    with connection.execute_wrapper(note):
        response = client.get(path)
    if response.status_code != HTTPStatus.OK:
        raise RuntimeError(f"{path} answered {response.status_code}: {response.content[:200]!r}")
    return found


def _run(statements: list[Statement]) -> None:
    with connection.cursor() as cursor:
        for sql, parameters in statements:
            cursor.execute(sql, parameters)
            cursor.fetchall()
