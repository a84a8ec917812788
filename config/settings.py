"""All settings, from environment variables alone; an empty environment is the embedded service."""

from pathlib import Path
from typing import Any

import environ

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
DATA_DIR.mkdir(parents=True, exist_ok=True)

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="insecure-embedded-key")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]", "testserver"])

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "crm_events",
    "crm_events.adapters.sql",
    "crm_projections",
    "crm_projections.adapters.sql",
    "crm_api",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

SQLITE_OPTIONS = {
    # Deferred transactions fail at once with "database is locked" when two writers meet; IMMEDIATE ones wait in line.
    "transaction_mode": "IMMEDIATE",
    "timeout": 30,
    # FULL: a 202 means stored, and stays stored when the power goes.
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536;",
}


def _database(url: str) -> dict[str, Any]:
    parsed: dict[str, Any] = env.db_url_config(url)
    if parsed["ENGINE"].endswith("sqlite3"):
        parsed["OPTIONS"] = {**SQLITE_OPTIONS}
        # A file, because a test that uses threads needs every thread to see the same database.
        parsed["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
    else:
        parsed["CONN_MAX_AGE"] = 60
        parsed["CONN_HEALTH_CHECKS"] = True
    return parsed


DATABASES = {"default": _database(env.str("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'crm.sqlite3'}"))}
# A second database only for the contract suites, which run on SQLite and PostgreSQL in one go.
if env.str("TEST_POSTGRES_URL", default=""):
    DATABASES["postgres"] = _database(env.str("TEST_POSTGRES_URL"))
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Ports and their adapters: a short name in the environment, or the dotted path of a class.
_EVENT_STORES = {
    "sql": "crm_events.adapters.sql.event_store.SQLEventStore",
    "memory": "crm_events.adapters.memory.MemoryEventStore",
}
_READ_MODELS = {
    "sql": "crm_projections.adapters.sql.read_model.SQLReadModel",
    "memory": "crm_projections.adapters.memory.MemoryReadModel",
}
_BROADCASTERS = {
    "outbox": "crm_projections.adapters.sql.outbox.OutboxBroadcaster",
    "memory": "crm_projections.adapters.memory.MemoryBroadcaster",
}


def _adapter(variable: str, default: str, known: dict[str, str]) -> dict[str, Any]:
    name = env.str(variable, default=default)
    return {"BACKEND": known.get(name, name), "OPTIONS": {}}


CRM_EVENT_STORE = _adapter("EVENT_STORE", "sql", _EVENT_STORES)
CRM_READ_MODEL = _adapter("READ_MODEL", "sql", _READ_MODELS)
CRM_BROADCASTER = _adapter("BROADCASTER", "outbox", _BROADCASTERS)
# Always in the operational database; named here so that the read side reaches them through their ports.
CRM_DEAD_LETTERS = {"BACKEND": "crm_events.services.dead_letters.OperationalDeadLetters", "OPTIONS": {}}
CRM_RUNS = {"BACKEND": "crm_events.services.runs.OperationalRuns", "OPTIONS": {}}
CRM_LEASES = {"BACKEND": "crm_events.services.leases.OperationalLeases", "OPTIONS": {}}

# Write side.
CRM_MAX_BODY_BYTES = env.int("MAX_BODY_BYTES", default=10 * 1024 * 1024)
CRM_ALLOWED_ORGS = env.list("ALLOWED_ORGS", default=[])
CRM_DELIVERY_MAX_ATTEMPTS = env.int("DELIVERY_MAX_ATTEMPTS", default=5)
CRM_DELIVERY_RETENTION_DAYS = env.int("DELIVERY_RETENTION_DAYS", default=14)
# Read side.
CRM_SAVED_STATE_EVERY = env.int("SAVED_STATE_EVERY", default=50)
CRM_PROJECT_BATCH = env.int("PROJECT_BATCH", default=500)

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="memory://")
CELERY_TASK_DEFAULT_QUEUE = "ingest"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
LOGIN_REDIRECT_URL = "/admin/"
