from pathlib import Path
from types import SimpleNamespace
from typing import Any

from config.doctor.setup import Setup

ROOT = Path(__file__).resolve().parents[4]
OPENSEARCH = {
    "hosts": ["https://search.example.com"],
    "auth": "basic",
    "username": "crm",
    "password": "search-password",
    "ca_certs": "",
}
EVENTBRIDGE = {"max_request_bytes": 262_144, "public_url": "https://crm.example.com"}
_PATHS = {
    "sql": "crm.adapters.sql.Adapter",
    "memory": "crm.adapters.memory.Adapter",
    "outbox": "crm.adapters.sql.outbox.Adapter",
    "dynamodb": "crm.adapters.dynamodb.event_store.Adapter",
    "opensearch": "crm.adapters.opensearch.read_model.Adapter",
    "eventbridge": "crm.adapters.eventbridge.Adapter",
}
_POSTGRES = {"ENGINE": "django.db.backends.postgresql", "NAME": "crm"}


def _choice(name: str, options: Any) -> dict[str, Any]:
    return {"BACKEND": _PATHS[name], "OPTIONS": options}


def a_setup(environment: dict[str, str] | None = None, **changes: Any) -> Setup:
    """Return a deployment on PostgreSQL and Redis with SQL adapters; ``changes`` are settings, or short names."""
    event_store, read_model = changes.pop("event_store", "sql"), changes.pop("read_model", "sql")
    broadcaster = changes.pop("broadcaster", "outbox")
    opensearch = {**OPENSEARCH, **changes.pop("opensearch", {})}
    eventbridge = {**EVENTBRIDGE, **changes.pop("eventbridge", {})}
    values = {
        "BASE_DIR": ROOT,
        "DATABASES": {"default": _POSTGRES},
        "BROKER_IS_EMBEDDED": False,
        "CELERY_BROKER_URL": "redis://redis.example.com:6379/0",
        "HTTPS": True,
        "DEBUG": False,
        "SECRET_KEY": "k" * 60,
        "ALLOWED_HOSTS": ["crm.example.com"],
        "LANES": ("ingest", "project", "bulk"),
        "CRM_EVENT_STORE": _choice(event_store, {}),
        "CRM_READ_MODEL": _choice(read_model, opensearch if read_model == "opensearch" else {}),
        "CRM_BROADCASTER": _choice(broadcaster, eventbridge if broadcaster == "eventbridge" else {}),
    }
    return Setup(environment or {}, SimpleNamespace(**{**values, **changes}))


def embedded(environment: dict[str, str] | None = None, **changes: Any) -> Setup:
    """Return the setup of an empty environment: one process, SQLite, this machine alone."""
    sqlite = {"ENGINE": "django.db.backends.sqlite3", "NAME": "crm.sqlite3"}
    values = {
        "DATABASES": {"default": sqlite},
        "BROKER_IS_EMBEDDED": True,
        "CELERY_BROKER_URL": "memory://",
        "HTTPS": False,
        "ALLOWED_HOSTS": ["localhost", "127.0.0.1", "[::1]"],
    }
    return a_setup(environment, **{**values, **changes})
