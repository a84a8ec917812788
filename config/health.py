"""Whether the process lives, and whether everything behind it answers."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.celery import app
from config.failures import ENGINE_FAILURES, describe
from crm_events.backends import event_store
from crm_projections.backends import broadcaster, read_model

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BackendHealth:
    """Whether one backend answered, how long it took, and if not: what anybody may know, and what operators may."""

    name: str
    milliseconds: float
    error: str = ""
    detail: str = ""


def _ping_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def ping_broker() -> None:
    """Return if the message broker takes a connection.

    :raises kombu.exceptions.OperationalError: it does not.
    """
    with app.connection_for_write() as connection:
        # A connection of its own, once: what is kept may be dead, and what tries again may take long.
        connection.ensure_connection(max_retries=0)


BACKENDS: dict[str, Callable[[], None]] = {
    "operational database": _ping_database,
    "event store": lambda: event_store().ping(),
    "read model": lambda: read_model().ping(),
    "broadcaster": lambda: broadcaster().ping(),
}
# Without the broker everything is taken and answered, and only wake-ups are lost: nobody shall be sent elsewhere.
BROKER = "message broker"


def check_backend(name: str, ping: Callable[[], None]) -> BackendHealth:
    """Ping one backend; a failure becomes part of the answer."""
    started = time.perf_counter()
    error = detail = ""
    try:
        ping()
    except ENGINE_FAILURES as failure:
        error, detail = f"does not answer: {type(failure).__name__}", describe(failure)
    return BackendHealth(name, round((time.perf_counter() - started) * 1000, 1), error, detail)


def check_broker() -> BackendHealth:
    """Connect to the message broker; a failure becomes part of the answer."""
    return check_backend(BROKER, ping_broker)


@require_safe
@never_cache
def live(request: HttpRequest) -> JsonResponse:  # noqa: ARG001  # a view's signature
    """Answer as long as the process can."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:  # noqa: ARG001  # a view's signature
    """Answer 200 if every backend does, else 503 with the names of those that do not.

    The broker is shown beside them: without it everything is late and nothing is lost.
    """
    results = [check_backend(name, ping) for name, ping in BACKENDS.items()]
    down = [result.name for result in results if result.error]
    results.append(check_broker())
    for result in results:
        if result.error:
            _log.warning("backend_down", backend=result.name, error=result.detail)
    body = {
        "status": "down" if down else "ok",
        "down": down,
        "backends": {
            result.name: {"status": "down" if result.error else "ok", "milliseconds": result.milliseconds}
            | ({"error": result.error} if result.error else {})
            for result in results
        },
    }
    return JsonResponse(body, status=503 if down else 200)
