"""Structured logs: JSON lines for machines, readable lines in a terminal."""

import logging
import sys
from typing import Any

import structlog
from structlog.typing import Processor

FORMATS = ("auto", "json", "console")
# Without the values of variables: they hold keys and customers' data.
_TRACEBACKS = structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=30)


def resolve_format(chosen: str) -> str:
    """Return ``json`` or ``console``; ``auto`` is the latter if a person is looking.

    :raises ValueError: the format is unknown.
    """
    if chosen not in FORMATS:
        raise ValueError(f"LOG_FORMAT is {chosen!r}; choose one of {', '.join(FORMATS)}.")
    if chosen == "auto":
        return "console" if sys.stderr.isatty() else "json"
    return chosen


def _shared_processors() -> list[Processor]:
    return [
        # Request, task, delivery and stream ids, bound wherever the work begins.
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]


def configure_structlog() -> None:
    """Send structlog's events through the standard library's handlers, so all lines look alike."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared_processors(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _renderers(log_format: str) -> list[Processor]:
    if log_format == "json":
        return [structlog.processors.ExceptionRenderer(_TRACEBACKS), structlog.processors.JSONRenderer()]
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]


def logging_config(log_format: str, level: str) -> dict[str, Any]:
    """Return the ``LOGGING`` setting for ``json`` or ``console``."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _shared_processors(),
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(log_format)],
            },
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["stderr"], "level": level.upper()},
        "loggers": {
            # The request middleware says the same with the request's ids.
            "django.request": {"level": "CRITICAL"},
            "django.server": {"handlers": [], "propagate": True},
            # Every lane and the clock say hello at INFO.
            "celery": {"level": "WARNING"},
            # A failed task is said once, with its ids, by the task receiver.
            "celery.app.trace": {"level": "CRITICAL"},
            "django_celery_beat": {"level": "WARNING"},
            "kombu": {"level": "WARNING"},
            # Each client says at INFO where it found its credentials.
            "botocore": {"level": "WARNING"},
            # It says every request at INFO, and says it again as a curl command with the documents in it.
            "opensearch": {"level": "WARNING"},
            "opensearchpy.trace": {"level": "WARNING"},
            "gunicorn": {"handlers": [], "level": "INFO", "propagate": True},
            "gunicorn.error": {"handlers": [], "propagate": True},
            # The request middleware says it with the request's ids.
            "gunicorn.access": {"level": "CRITICAL"},
            # It misses a host name in memory://, which has none.
            "kombu.connection": {"level": "ERROR"},
            # One line for each request that had to wait a moment for a thread.
            "waitress.queue": {"level": "ERROR"},
        },
    }


def success_level(log_format: str) -> int:
    """Return the level of lines about requests that went well: in a terminal they would bury the rest."""
    return logging.DEBUG if log_format == "console" else logging.INFO
