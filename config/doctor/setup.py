"""What environment and settings say, as the checks ask for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from config.brokers import scheme_of

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine's own."""
    return host in _LOOPBACK or host.startswith("127.")


@dataclass(frozen=True, slots=True)
class Setup:
    """The environment, and Django's settings made from it (any object with their attributes)."""

    environment: Mapping[str, str]
    settings: Any

    @property
    def database(self) -> Mapping[str, Any]:
        """Return the settings of the operational database."""
        database: Mapping[str, Any] = self.settings.DATABASES["default"]
        return database

    @property
    def is_sqlite(self) -> bool:
        """Say whether the operational database is a SQLite file."""
        return str(self.database["ENGINE"]).endswith("sqlite3")

    @property
    def is_embedded(self) -> bool:
        """Say whether everything is to run in the one process of ``manage.py serve``."""
        return bool(self.settings.BROKER_IS_EMBEDDED)

    @property
    def is_deployed(self) -> bool:
        """Say whether others than the person at this machine use the service, so that production's rules hold."""
        hosts = self.settings.ALLOWED_HOSTS
        return not self.is_embedded or bool(self.settings.HTTPS) or not all(is_loopback(host) for host in hosts)

    @property
    def broker(self) -> str:
        """Return the kind of broker: ``memory``, ``redis``, ``amqp`` or ``sqs``."""
        return scheme_of(self.settings.CELERY_BROKER_URL)

    @property
    def adapters(self) -> dict[str, str]:
        """Return the dotted path of each port's adapter, by the variable that chooses it."""
        return {
            "EVENT_STORE": self.settings.CRM_EVENT_STORE["BACKEND"],
            "READ_MODEL": self.settings.CRM_READ_MODEL["BACKEND"],
            "BROADCASTER": self.settings.CRM_BROADCASTER["BACKEND"],
        }

    def uses(self, technology: str) -> bool:
        """Say whether an adapter of this package (``dynamodb``, ``opensearch`` ...) is chosen."""
        return any(technology in path.split(".") for path in self.adapters.values())

    @property
    def opensearch(self) -> Mapping[str, Any]:
        """Return the options of the OpenSearch adapter; empty if another one is chosen."""
        options: Mapping[str, Any] = self.settings.CRM_READ_MODEL["OPTIONS"] if self.uses("opensearch") else {}
        return options

    @property
    def aws_services(self) -> list[str]:
        """Return the services of AWS that the service calls, by boto3's names (``es`` for a signed OpenSearch)."""
        asked = {
            "dynamodb": self.uses("dynamodb"),
            "events": self.uses("eventbridge"),
            "sqs": self.broker == "sqs",
            "es": self.opensearch.get("auth") == "aws",
        }
        return [service for service, wanted in asked.items() if wanted]
