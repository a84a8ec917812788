"""All settings, from environment variables alone; an empty environment is the embedded service."""

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
from celery.schedules import crontab

from config import brokers, logs
from config.console import frame
from config.databases import database
from config.secret_key import read_or_create

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DATA_DIR = Path(env.str("DATA_DIR", default="") or BASE_DIR / "var").resolve()
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY_FILE = DATA_DIR / "secret-key"
SECRET_KEY = env.str("SECRET_KEY", default="") or read_or_create(SECRET_KEY_FILE)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

# HTTPS=true: people and senders come by https, through a proxy that ends it and sets X-Forwarded-Proto itself.
HTTPS = env.bool("HTTPS", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]  # asked from inside, past the proxy
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_SECONDS > 0
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "crm_session"
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
X_FRAME_OPTIONS = "DENY"
# Entering a browser's preload list is the decision of the domain's owner, and hard to take back.
SILENCED_SYSTEM_CHECKS = ["security.W021"]

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
    "django_structlog",
    "config",
    "crm_events",
    "crm_events.adapters.sql",
    "crm_projections",
    "crm_projections.adapters.sql",
    "crm_api",
]
MIDDLEWARE = [
    "config.metrics.requests.RequestMetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
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

_DATABASE_LIMITS: dict[str, Any] = {
    "statement_seconds": env.int("DATABASE_STATEMENT_SECONDS", default=300),
    "behind_pgbouncer": env.bool("DATABASE_PGBOUNCER", default=False),
}
DATABASES = {"default": database(env.str("DATABASE_URL", default=""), DATA_DIR, **_DATABASE_LIMITS)}
# A second database only for the contract suites, which run on SQLite and PostgreSQL in one go.
if env.str("TEST_POSTGRES_URL", default=""):
    DATABASES["postgres"] = database(env.str("TEST_POSTGRES_URL"), DATA_DIR, **_DATABASE_LIMITS)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Ports and their adapters: a short name in the environment, or the dotted path of a class. What follows a short name
# are the adapter's options, read from the environment too; boto3 finds region, credentials and endpoints by itself.
_EVENT_STORES: dict[str, tuple[str, dict[str, Any]]] = {
    "sql": ("crm_events.adapters.sql.event_store.SQLEventStore", {}),
    "memory": ("crm_events.adapters.memory.MemoryEventStore", {}),
    "dynamodb": (
        "crm_events.adapters.dynamodb.event_store.DynamoDBEventStore",
        {
            "table_prefix": env.str("DYNAMODB_TABLE_PREFIX", default="crm"),
            # For others to read. DynamoDB Local writes many times slower with it, so do without it there.
            "change_stream": env.bool("DYNAMODB_CHANGE_STREAM", default=True),
        },
    ),
}
_READ_MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "sql": ("crm_projections.adapters.sql.read_model.SQLReadModel", {}),
    "memory": ("crm_projections.adapters.memory.MemoryReadModel", {}),
    "opensearch": (
        "crm_projections.adapters.opensearch.read_model.OpenSearchReadModel",
        {
            "hosts": env.list("OPENSEARCH_URLS", default=["http://127.0.0.1:9200"]),
            "index_prefix": env.str("OPENSEARCH_INDEX_PREFIX", default="crm"),
            "auth": env.str("OPENSEARCH_AUTH", default="none"),
            "username": env.str("OPENSEARCH_USERNAME", default=""),
            "password": env.str("OPENSEARCH_PASSWORD", default=""),
            "ca_certs": env.str("OPENSEARCH_CA_CERTS", default=""),
            "take_over": env.bool("OPENSEARCH_TAKE_OVER", default=False),
            "shards": env.int("OPENSEARCH_SHARDS", default=1),
            "replicas": env.int("OPENSEARCH_REPLICAS", default=-1),
        },
    ),
}
_BROADCASTERS: dict[str, tuple[str, dict[str, Any]]] = {
    "outbox": ("crm_projections.adapters.sql.outbox.OutboxBroadcaster", {}),
    "memory": ("crm_projections.adapters.memory.MemoryBroadcaster", {}),
    "eventbridge": (
        "crm_projections.adapters.eventbridge.EventBridgeBroadcaster",
        {
            "bus": env.str("EVENTBRIDGE_BUS", default="default"),
            "source": env.str("EVENTBRIDGE_SOURCE", default="client-management"),
            "max_request_bytes": env.int("EVENTBRIDGE_MAX_REQUEST_BYTES", default=256 * 1024),
            "public_url": env.str("PUBLIC_URL", default="http://127.0.0.1:8000"),
        },
    ),
}
# Reading Salesforce; "none" reads nothing, and whoever needs it says so.
CRM_SOURCES: dict[str, tuple[str, dict[str, Any]]] = {
    "memory": ("crm_events.adapters.memory_source.MemoryCrmSource", {}),
    "salesforce": (
        "crm_events.adapters.salesforce.source.SalesforceSource",
        {
            "url": env.str("SALESFORCE_URL", default=""),
            "client_id": env.str("SALESFORCE_CLIENT_ID", default=""),
            "client_secret": env.str("SALESFORCE_CLIENT_SECRET", default=""),
            "username": env.str("SALESFORCE_USERNAME", default=""),
            # The text of a key may come with \n in place of line breaks, which many secret stores cannot keep.
            "private_key": env.str("SALESFORCE_PRIVATE_KEY", default="", multiline=True),
            "private_key_file": env.str("SALESFORCE_PRIVATE_KEY_FILE", default=""),
            "api_version": env.str("SALESFORCE_API_VERSION", default="") or "67.0",
            "connect_timeout": env.float("SALESFORCE_CONNECT_TIMEOUT", default=10.0),
            "read_timeout": env.float("SALESFORCE_READ_TIMEOUT", default=120.0),
            "session_minutes": env.float("SALESFORCE_SESSION_MINUTES", default=60.0),
            "margin_seconds": env.float("SALESFORCE_CLOCK_MARGIN", default=2.0),
        },
    ),
}


def _adapter(variable: str, default: str, known: dict[str, tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    name = env.str(variable, default=default)
    path, options = known.get(name, (name, {}))
    return {"BACKEND": path, "OPTIONS": options}


CRM_EVENT_STORE = _adapter("EVENT_STORE", "sql", _EVENT_STORES)
CRM_READ_MODEL = _adapter("READ_MODEL", "sql", _READ_MODELS)
CRM_BROADCASTER = _adapter("BROADCASTER", "outbox", _BROADCASTERS)
CRM_SOURCE = None if env.str("CRM_SOURCE", default="none") in ("", "none") else _adapter("CRM_SOURCE", "", CRM_SOURCES)
# Always in the operational database; named here so that the read side reaches them through their ports.
CRM_DEAD_LETTERS = {"BACKEND": "crm_events.services.dead_letters.OperationalDeadLetters", "OPTIONS": {}}
CRM_RUNS = {"BACKEND": "crm_events.services.runs.OperationalRuns", "OPTIONS": {}}
CRM_LEASES = {"BACKEND": "crm_events.services.leases.OperationalLeases", "OPTIONS": {}}
CRM_DRIFT_REPORT = {
    "BACKEND": "crm_events.services.reconciliation.report.OperationalDriftReport",
    "OPTIONS": {},
}
# Of the org's daily API calls, in percent: where each kind of work slows down, and where it waits.
CRM_API_SHARES = {
    "repair": env.list("SALESFORCE_SHARE_REPAIR", cast=float, default=[90, 95]),
    "reconciliation": env.list("SALESFORCE_SHARE_RECONCILIATION", cast=float, default=[75, 85]),
    "backfill": env.list("SALESFORCE_SHARE_BACKFILL", cast=float, default=[50, 70]),
}
CRM_API_BUDGET = {
    "BACKEND": "crm_events.services.api_budget.OperationalApiBudget",
    "OPTIONS": {"shares": CRM_API_SHARES},
}

# Write side.
CRM_MAX_BODY_BYTES = env.int("MAX_BODY_BYTES", default=10 * 1024 * 1024)
CRM_ALLOWED_ORGS = env.list("ALLOWED_ORGS", default=[])
CRM_DELIVERY_MAX_ATTEMPTS = env.int("DELIVERY_MAX_ATTEMPTS", default=5)
CRM_DELIVERY_RETENTION_DAYS = env.int("DELIVERY_RETENTION_DAYS", default=14)
# How long an event may take from Salesforce's commit to the log before its absence counts as a loss.
CRM_EVENT_GRACE_SECONDS = env.int("EVENT_GRACE_SECONDS", default=300)
CRM_REPORT_RETENTION_DAYS = env.int("REPORT_RETENTION_DAYS", default=90)
# Read side.
CRM_SAVED_STATE_EVERY = env.int("SAVED_STATE_EVERY", default=50)
CRM_PROJECT_BATCH = env.int("PROJECT_BATCH", default=500)
# The one-process server.
WEB_THREADS = env.int("WEB_THREADS", default=16)

LANES = ("ingest", "project", "bulk")
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="") or "memory://"
BROKER_IS_EMBEDDED = brokers.is_embedded(CELERY_BROKER_URL)
CELERY_BROKER_TRANSPORT = brokers.transport(CELERY_BROKER_URL)
CELERY_BROKER_TRANSPORT_OPTIONS = brokers.transport_options(
    CELERY_BROKER_URL,
    prefix=env.str("BROKER_PREFIX", default="crm-"),
    visibility_seconds=env.int("BROKER_VISIBILITY_SECONDS", default=60),
    sqs_queues=env.dict("SQS_QUEUE_URLS", default={}),
)
CELERY_BROKER_CONNECTION_TIMEOUT = brokers.CONNECT_SECONDS
# Every thread that answers requests may send a wake-up at the same time.
CELERY_BROKER_POOL_LIMIT = WEB_THREADS
CELERY_BROKER_POOL_ACQUIRE_TIMEOUT = brokers.ANSWER_SECONDS
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_DEFAULT_QUEUE = "ingest"
CELERY_TASK_QUEUES = {lane: {"exchange": lane, "routing_key": lane} for lane in LANES}
CELERY_TASK_ROUTES = {
    "crm_events.tasks.remove_*": {"queue": "bulk"},
    "*.tasks.start_checks": {"queue": "bulk"},
    "crm_events.tasks.backfill_lost_feeds": {"queue": "bulk"},
    "*.tasks.sweep_runs": {"queue": "bulk"},
    # Repairs are few and small, and wait behind no bulk work.
    "crm_events.tasks.repair_gaps": {"queue": "project"},
    "*.tasks.run_*": {"queue": "bulk"},
    "crm_projections.tasks.*": {"queue": "project"},
    "crm_events.tasks.*": {"queue": "ingest"},
}
CELERY_TASK_IGNORE_RESULT = True
# Whoever sends a task does not wait for a broker that is down; beat sends the next one in a moment.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = brokers.takes_remote_control(CELERY_BROKER_URL)
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "config.beat:Scheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 1


def _every(interval: timedelta, task: str) -> dict[str, Any]:
    # Where nobody takes sweeps, they must not pile up for hours; a minute lets them stand in line behind live work.
    seconds = max(60, int(interval.total_seconds()))
    return {"task": task, "schedule": interval, "options": {"expire_seconds": seconds}}


def _check(check: str, schedule: timedelta | crontab, app: str = "crm_events") -> dict[str, Any]:
    options = {"expire_seconds": 600}
    return {"task": f"{app}.tasks.start_checks", "schedule": schedule, "args": [check], "options": options}


# What a new database begins with; from then on the console's schedules hold (config.schedules).
CELERY_BEAT_SCHEDULE = {
    "sweep deliveries": _every(timedelta(seconds=5), "crm_events.tasks.sweep_deliveries"),
    "sweep pending streams": _every(timedelta(seconds=5), "crm_projections.tasks.sweep_pending"),
    "sweep runs": _every(timedelta(seconds=10), "crm_projections.tasks.sweep_runs"),
    "sweep runs that read Salesforce": _every(timedelta(seconds=10), "crm_events.tasks.sweep_runs"),
    "repair gaps": _every(timedelta(seconds=15), "crm_events.tasks.repair_gaps"),
    "check unfinished work": _check("unfinished", timedelta(minutes=10)),
    "check windows": _check("windows", timedelta(minutes=15)),
    "check a sample": _check("sample", timedelta(hours=1)),
    "check ids": _check("ids", crontab(hour="2", minute="30")),
    "check documents": _check("documents", crontab(hour="3", minute="30"), "crm_projections"),
    "check broadcasts": _check("broadcasts", timedelta(minutes=10), "crm_projections"),
    "backfill after lost events": _every(timedelta(minutes=5), "crm_events.tasks.backfill_lost_feeds"),
    "remove old reports": _every(timedelta(hours=1), "crm_events.tasks.remove_old_reports"),
    "remove finished deliveries": _every(timedelta(hours=1), "crm_events.tasks.remove_finished_deliveries"),
}

CRM_API_RATE = env.str("API_RATE", default="6000/min")  # for each key; 0 for no limit
# Requests that may wait for a delivery at the same time; fewer than WEB_THREADS, so that some are left to work.
CRM_API_MAX_WAITERS = env.int("API_MAX_WAITERS", default=8)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["crm_api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["crm_api.authentication.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["crm_api.throttles.KeyThrottle"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "crm_api.negotiation.JsonWhateverAccept",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "crm_api.problems.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.0",
    "TITLE": "Client Management Service",
    "DESCRIPTION": "Salesforce changes in, normalized clients, contacts, contracts, deals and leads out.",
    "VERSION": "1.0.0",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"docExpansion": "none", "persistAuthorization": True},
    "POSTPROCESSING_HOOKS": ["crm_api.components.add_components"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
}

LOG_FORMAT = logs.resolve_format(env.str("LOG_FORMAT", default="auto"))
LOGGING = logs.logging_config(LOG_FORMAT, env.str("LOG_LEVEL", default="INFO"))
logs.configure_structlog()
DJANGO_STRUCTLOG_CELERY_ENABLED = False  # config.celery connects it, once for sender and worker
DJANGO_STRUCTLOG_USER_ID_FIELD = "username"
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_STATUS_DEFAULT_LOG_LEVEL = logs.success_level(LOG_FORMAT)
DJANGO_STRUCTLOG_CELERY_DEFAULT_LOG_LEVEL = logging.DEBUG

UNFOLD = frame.UNFOLD

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True
STATIC_URL = "static/"
# Elsewhere where they were collected into an image, which DATA_DIR is not part of.
STATIC_ROOT = Path(env.str("STATIC_ROOT", default="") or DATA_DIR / "static")
STATIC_ROOT.mkdir(exist_ok=True)
LOGIN_REDIRECT_URL = "/admin/"
