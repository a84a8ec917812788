"""The API key: given, or read from AWS Secrets Manager without an SDK."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from http.client import HTTPException
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from crm_events.forwarder.signing import AwsCredentials, signed_headers

_TARGET: Final = "secretsmanager.GetSecretValue"
_TIMEOUT_SECONDS: Final = 5.0


class KeyUnavailableError(Exception):
    """The key cannot be read for now; the text says why and what to do."""


class Key(ABC):
    """An API key with the scope ``ingest``."""

    @abstractmethod
    def read(self, timeout: float = _TIMEOUT_SECONDS, *, again: bool = False) -> str:
        """Return the key; with ``again`` from where it comes from, for the one before was not taken.

        :raises KeyUnavailableError: it cannot be read within ``timeout`` seconds.
        """


class FixedKey(Key):
    """A key that never changes."""

    def __init__(self, value: str) -> None:
        self._value = value

    def read(self, timeout: float = _TIMEOUT_SECONDS, *, again: bool = False) -> str:  # noqa: ARG002  # nothing to ask
        """Return the key."""
        return _checked(self._value)


class SecretKey(Key):
    """A key in Secrets Manager, read once and kept: alone as the secret's text, or as ``{"api_key": "..."}``.

    The call is signed here, which needs neither SDK nor a Lambda layer, and a rotated key is read at once, where the
    cache of the Parameters and Secrets extension would go on for its time. Region, credentials and endpoint are in the
    variables that Lambda and AWS's own tools use.
    """

    def __init__(self, secret_id: str, variables: Mapping[str, str]) -> None:
        self._secret_id = secret_id
        self._variables = variables
        self._value = ""

    def read(self, timeout: float = _TIMEOUT_SECONDS, *, again: bool = False) -> str:
        """Return the key, from Secrets Manager the first time."""
        if again or not self._value:
            self._value = _key_in(self._fetch(timeout))
        return self._value

    def _fetch(self, timeout: float) -> str:
        try:
            with urlopen(self._request(), timeout=min(timeout, _TIMEOUT_SECONDS)) as answer:  # noqa: S310  # as set
                return str(json.load(answer)["SecretString"])
        except HTTPError as error:
            raise KeyUnavailableError(_refusal(error)) from error
        except (URLError, OSError, HTTPException) as error:
            text = f"Secrets Manager does not answer: {error}. Next: see that the function reaches it (VPC endpoint)."
            raise KeyUnavailableError(text) from error
        except (ValueError, KeyError, TypeError) as error:
            text = "The secret has no text. Next: store the API key as its SecretString."
            raise KeyUnavailableError(text) from error

    def _request(self) -> Request:
        variables = self._variables
        region = variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION", "")
        url = _endpoint(variables, region)
        body = json.dumps({"SecretId": self._secret_id}).encode()
        headers = {
            "content-type": "application/x-amz-json-1.1",
            "host": urlsplit(url).netloc,
            "x-amz-target": _TARGET,
        }
        credentials = AwsCredentials.from_environment(variables, region, "secretsmanager")
        return Request(url, body, signed_headers(headers, body, credentials, datetime.now(UTC)))  # noqa: S310  # as set


def _endpoint(variables: Mapping[str, str], region: str) -> str:
    given = variables.get("AWS_ENDPOINT_URL_SECRETS_MANAGER") or variables.get("AWS_ENDPOINT_URL")
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return (given or f"https://secretsmanager.{region}.{domain}").rstrip("/") + "/"


def _key_in(secret: str) -> str:
    try:
        value = json.loads(secret)
    except ValueError:
        value = secret
    if isinstance(value, dict):
        value = value.get("api_key")
    if not isinstance(value, str):
        raise KeyUnavailableError("The secret holds no API key. Next: store it as text, or as api_key of an object.")
    return _checked(value)


def _checked(value: str) -> str:
    key = value.strip()
    # Anything else cannot be a header, and the complaint about that would show the key.
    if not (key and key.isascii() and key.isprintable()):
        raise KeyUnavailableError(
            "The API key is empty or has characters no key has. Next: store the key as it was made."
        )
    return key


def _refusal(error: HTTPError) -> str:
    try:
        code = str(json.load(error).get("__type", "")).rpartition("#")[2]
    except (ValueError, AttributeError, OSError, HTTPException):
        code = ""
    text = f"Secrets Manager answered {code or error.code}."
    if code == "ResourceNotFoundException":
        return f"{text} Next: give the secret its value, or correct API_KEY_SECRET."
    if code == "AccessDeniedException" or error.code == HTTPStatus.FORBIDDEN:
        return f"{text} Next: allow the function secretsmanager:GetSecretValue on the secret, and its KMS key."
    return f"{text} Next: nothing if this passes."
