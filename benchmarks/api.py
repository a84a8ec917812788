"""The list endpoint against its SQL alone."""

from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks import load, service
from benchmarks.report import Result, median_milliseconds, seconds

DOCUMENTS = 10_000
ROUNDS = 200
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
    client = Client(headers={"authorization": f"Bearer {_api_key()}"})
    return [_measure(name, path, client) for name, path in PATHS.items()]


def _api_key() -> str:
    from io import StringIO  # noqa: PLC0415

    out = StringIO()
    call_command("create_api_key", "bench", "--scopes", "read", stdout=out)
    return out.getvalue().strip().splitlines()[-1]


def _measure(name: str, path: str, client: Client) -> Result:
    statements = _reading_statements(path, client)
    answers, queries = [], []
    for _ in range(ROUNDS):
        answers.append(seconds(lambda: client.get(path).content))
        queries.append(seconds(lambda: _run(statements)))
    ours, yardstick = median_milliseconds(answers), median_milliseconds(queries)
    return Result(f"API {name}", f"{ours:.2f} ms", f"{yardstick:.2f} ms", f"{ours / yardstick:.2f}x", "2x")


def _reading_statements(path: str, client: Client) -> list[str]:
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        response = client.get(path)
    if response.status_code != 200:  # noqa: PLR2004
        raise RuntimeError(f"{path} answered {response.status_code}: {response.content[:200]!r}")
    return [query["sql"] for query in captured if query["sql"].startswith(("SELECT", "WITH"))]


def _run(statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement.replace("%", "%%"), ())
            cursor.fetchall()
