from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from crm_events.adapters.sql.event_store import SQLEventStore
from crm_events.ports.event_store import ReadRequest
from tests.builders import a_stream

pytestmark = pytest.mark.django_db


def statement_of(work: Callable[[], object]) -> tuple[str, Any]:
    found: list[tuple[str, Any]] = []

    def note(run: Callable[..., Any], sql: str, values: Any, *rest: Any) -> Any:
        found.append((sql, values))
        return run(sql, values, *rest)

    with connection.execute_wrapper(note):
        work()
    (statement,) = found
    return statement


@pytest.mark.skipif(connection.vendor != "sqlite", reason="others choose by statistics")
def test_events_behind_a_saved_state_are_found_without_going_through_the_stream() -> None:
    request = ReadRequest(a_stream(), after_position="0", up_to_version=10_000)
    sql, values = statement_of(lambda: SQLEventStore().read([request]))
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", values)
        plan = [step for *_, step in cursor.fetchall()]
    assert any("(stream_id=? AND position>?)" in step for step in plan), plan
