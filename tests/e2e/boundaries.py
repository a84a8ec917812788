"""Die before and after every step of the pipeline in turn, and say what is wrong once a new process took over.

A program: ``python -m tests.e2e.boundaries`` with an empty ``DATA_DIR``; prints a line of JSON for each place.
"""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
os.environ["SAVED_STATE_EVERY"] = "1"  # so that every round walks through saving and loading them
django.setup()

from django.core.management import call_command  # noqa: E402  # needs what was set up above
from django.db import connection, connections  # noqa: E402

from crm_events import tasks  # noqa: E402
from crm_events.backends import dead_letters, event_store  # noqa: E402
from crm_events.services import inbox, processing  # noqa: E402
from crm_events.services.recovery import release_everything  # noqa: E402
from crm_projections.backends import broadcaster, read_model  # noqa: E402
from crm_projections.entry import projector  # noqa: E402
from tests.e2e.expectations import Expectations  # noqa: E402
from tests.e2e.history import History  # noqa: E402

SURVIVED, FAILED, DIED = 0, 1, 9
REQUESTS = 4
STEPS: list[tuple[Any, list[str]]] = [
    # First, because it begins anew.
    (read_model(), ["ensure_serving", "generations", "save_many"]),
    (inbox, ["claim"]),
    (processing, ["append_events", "keep_notices", "finish_deliveries", "count_outcomes"]),
    (processing.DeliveryProcessor, ["_finish"]),
    (tasks, ["wake_projector"]),
    (event_store(), ["append", "pending_streams", "read", "move_watermarks", "load_states", "save_states"]),
    (broadcaster(), ["publish"]),
    (dead_letters(), ["report_events", "resolve_streams"]),
]


def places() -> list[str]:
    """Return all places to die at: before and after every step."""
    return [f"{when} {name}" for _, names in STEPS for name in names for when in ("before", "after")]


class Bomb:
    """Ends the process when it first comes by a place."""

    def __init__(self, place: str) -> None:
        self._place = place

    def plant(self) -> None:
        """Put a place before and one after every step."""
        for owner, names in STEPS:
            for name in names:
                setattr(owner, name, self._around(getattr(owner, name), name))

    def _around(self, step: Callable[..., Any], name: str) -> Callable[..., Any]:
        def walked(*args: Any, **kwargs: Any) -> Any:
            self._pass(f"before {name}")
            result = step(*args, **kwargs)
            self._pass(f"after {name}")
            return result

        return walked

    def _pass(self, place: str) -> None:
        if place == self._place:
            os._exit(DIED)


def work() -> None:
    """Bring everything from the inbox to documents and messages, as worker and sweeps do."""
    now = datetime.now(UTC)
    release_everything(now)
    tasks.sweep_deliveries()
    projector().sweep(10_000, now + timedelta(days=1), now)


def in_a_process(place: str = "") -> int:
    """Work in a process of its own, that dies at a place if one is given; return its exit code."""
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        try:
            if place:
                Bomb(place).plant()
            work()
            os._exit(SURVIVED)
        finally:
            os._exit(FAILED)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def begin_anew() -> tuple[History, Expectations]:
    """Empty the database, generations and all, and begin another history."""
    call_command("flush", interactive=False, verbosity=0)
    known = set(connection.introspection.django_table_names()) | {"django_migrations"}
    with connection.cursor() as cursor:
        for table in set(connection.introspection.table_names()) - known:
            cursor.execute(f"DROP TABLE {table}")  # a name from the database itself
    return History(seed=7, records=4), Expectations()


def main() -> None:
    """Die at one place after the other."""
    call_command("migrate", verbosity=0)
    history, expected = begin_anew()
    for place in places():
        if place.endswith("ensure_serving"):  # walked only while there is no generation yet
            history, expected = begin_anew()
        for _ in range(REQUESTS):
            body = history.next_request()
            inbox.accept(body, "a sender", datetime.now(UTC))
            expected.add(body)
        ends = [in_a_process(place), in_a_process()]
        print(json.dumps({"place": place, "ends": ends, "wrong": expected.differences("default")}), flush=True)


if __name__ == "__main__":
    main()
