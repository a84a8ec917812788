"""Checks of settings that contradict each other, run at every start."""

import os
from typing import Any

from django.conf import settings
from django.core import checks


@checks.register(checks.Tags.security, deploy=True)
def check_secret_key(**_: Any) -> list[checks.CheckMessage]:
    """Refuse a key that each machine made for itself."""
    if os.environ.get("SECRET_KEY"):
        return []
    return [
        checks.Error(
            f"SECRET_KEY is not set, so this machine made one for itself ({settings.SECRET_KEY_FILE}); sessions begun "
            "on another machine are not valid here.",
            hint="Set SECRET_KEY to the same 50 or more random characters everywhere.",
            id="config.E001",
        )
    ]


@checks.register(deploy=True)
def check_broker(**_: Any) -> list[checks.CheckMessage]:
    """Warn of a broker that only one process can see."""
    if not settings.BROKER_IS_EMBEDDED:
        return []
    return [
        checks.Warning(
            "CELERY_BROKER_URL is memory://, which only the one process of “manage.py serve” can use.",
            hint="Set CELERY_BROKER_URL where web, workers and beat are processes of their own.",
            id="config.W001",
        )
    ]


@checks.register()
def check_waiters(**_: Any) -> list[checks.CheckMessage]:
    """Refuse a server whose threads could all be waiting."""
    if settings.CRM_API_MAX_WAITERS < settings.WEB_THREADS:
        return []
    return [
        checks.Error(
            f"API_MAX_WAITERS is {settings.CRM_API_MAX_WAITERS} and WEB_THREADS {settings.WEB_THREADS}: "
            "all threads could be waiting, and none working.",
            hint="Make API_MAX_WAITERS smaller than WEB_THREADS.",
            id="config.E002",
        )
    ]
