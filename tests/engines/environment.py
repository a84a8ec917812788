"""What a test run's environment must not have, and what it needs: no cloud of the developer's, invented credentials."""

import os
from typing import Final

from engines.catalogue import INVENTED_AWS

IS_WORKER: Final = "PYTEST_XDIST_WORKER" in os.environ
IN_CI: Final = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
# What a developer set for a server of theirs must not reach the tests.
_FOREIGN = (
    "DATABASE_URL",
    "SECRET_KEY",
    "DEBUG",
    "ALLOWED_HOSTS",
    "CELERY_BROKER_URL",
    "EVENT_STORE",
    "READ_MODEL",
    "BROADCASTER",
    "PUBLIC_URL",
)
_FOREIGN_PREFIXES = ("AWS_", "DYNAMODB_", "OPENSEARCH_", "EVENTBRIDGE_")
# No profile of the developer's either.
_NO_PROFILES: Final = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


def forget_foreign_settings() -> None:
    """Remove the developer's settings from this process's environment and put invented AWS credentials there."""
    for name in list(os.environ):
        if name in _FOREIGN or name.startswith(_FOREIGN_PREFIXES):
            del os.environ[name]
    os.environ.update(INVENTED_AWS | _NO_PROFILES)
