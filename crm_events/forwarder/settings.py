"""Where events are forwarded to, and with which key."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

from crm_events.forwarder.keys import FixedKey, Key, SecretKey

EVENTS_PATH = "/api/v1/events/"
_TIMEOUT_SECONDS = 20.0


class SettingsError(Exception):
    """A variable is missing or wrong; the text says which and what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """``url`` is where the service is (``https://crm.example.com``), ``timeout`` the longest wait for it in seconds."""

    url: str
    key: Key = field(repr=False)
    timeout: float = _TIMEOUT_SECONDS

    @classmethod
    def from_environment(cls, variables: Mapping[str, str]) -> Self:
        """Read ``API_URL``, ``API_KEY`` or ``API_KEY_SECRET``, and ``API_TIMEOUT``.

        ``API_KEY_SECRET`` is name or ARN of a secret in AWS Secrets Manager that holds the key, alone or as
        ``{"api_key": "..."}``; it wins over ``API_KEY``.

        :raises SettingsError: a variable is missing or wrong.
        """
        return cls(_url(variables.get("API_URL", "")), _key(variables), _timeout(variables.get("API_TIMEOUT", "")))


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise SettingsError(f"API_URL is “{text}”. Next: set it to the service's address, https://crm.example.com.")
    return text.rstrip("/")


def _key(variables: Mapping[str, str]) -> Key:
    if secret := variables.get("API_KEY_SECRET"):
        return SecretKey(secret, variables)
    if key := variables.get("API_KEY"):
        return FixedKey(key)
    raise SettingsError("There is no key. Next: set API_KEY_SECRET, or API_KEY, to a key with the scope ingest.")


def _timeout(text: str) -> float:
    try:
        seconds = float(text or _TIMEOUT_SECONDS)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= 900:  # noqa: PLR2004  # no function runs longer
        raise SettingsError(f"API_TIMEOUT is “{text}”. Next: set it to seconds, at most 900.")
    return seconds
