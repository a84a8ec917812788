"""Logging in: ``/services/oauth2/token`` with a signed JWT or with client credentials, and the sessions it gives."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import jwt

from crm_events.simulator.envelopes import ORG_ID
from crm_events.simulator.web.http import Answer, ApiError, Request, json_answer

_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# The times are judged by the org's own clock.
_OPTIONS: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "require": ["exp", "sub", "iss"]}
_AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")


@dataclass(slots=True)
class ConnectedApp:
    """What a program needs to log in: ``public_key`` (PEM) verifies its signatures; without one, no JWT is taken."""

    consumer_key: str = "simulated-consumer-key"
    consumer_secret: str = "simulated-consumer-secret"  # noqa: S105  # of an invented org
    username: str = "integration@simulated.example"
    public_key: str = ""
    audiences: tuple[str, ...] = _AUDIENCES
    session_seconds: int = 7_200


@dataclass(slots=True)
class Sessions:
    """Access tokens and until when they are good."""

    app: ConnectedApp
    now: Callable[[], datetime]
    user: str
    _until: dict[str, datetime] = field(default_factory=dict)

    def token(self, request: Request) -> Answer:
        """Answer a request for an access token (OAuth errors are objects, unlike those of the REST API)."""
        form = request.form()
        match form.get("grant_type"):
            case "client_credentials":
                error = self._client_error(_client_of(request, form))
            case grant if grant == _JWT_BEARER:
                error = self._assertion_error(form.get("assertion", ""), request.root)
            case _:
                error = ("unsupported_grant_type", "grant type not supported")
        if error:
            return json_answer({"error": error[0], "error_description": error[1]}, 400)
        return json_answer(self._granted(request.root))

    def check(self, request: Request) -> str:
        """Return the token of a request.

        :raises ApiError: INVALID_SESSION_ID, or none was given (INVALID_AUTH_HEADER).
        """
        scheme, _, token = request.headers.get("AUTHORIZATION", "").partition(" ")
        if scheme.lower() not in ("bearer", "oauth"):
            raise ApiError(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")
        if self._until.get(token, self.now()) <= self.now():
            raise expired_session()
        return token

    def end(self, token: str) -> None:
        """End a session before its time."""
        self._until.pop(token, None)

    def end_all(self) -> None:
        """End every session."""
        self._until.clear()

    def _granted(self, root: str) -> dict[str, Any]:
        now = self.now()
        self._until = {token: until for token, until in self._until.items() if until > now}
        token = f"{ORG_ID[:15]}!{secrets.token_urlsafe(48)}"
        self._until[token] = now + timedelta(seconds=self.app.session_seconds)
        identity = f"{root}/id/{ORG_ID}/{self.user}"
        issued = str(round(now.timestamp() * 1000))
        signature = hashlib.sha256(f"{identity}{issued}".encode()).hexdigest()
        return {
            "access_token": token,
            "scope": "api",
            "instance_url": root,
            "id": identity,
            "token_type": "Bearer",
            "issued_at": issued,
            "signature": signature,
        }

    def _client_error(self, form: dict[str, str]) -> tuple[str, str] | None:
        if form.get("client_id") != self.app.consumer_key:
            return "invalid_client_id", "client identifier invalid"
        if not hmac.compare_digest(form.get("client_secret", "").encode(), self.app.consumer_secret.encode()):
            return "invalid_client", "invalid client credentials"
        return None

    def _assertion_error(self, assertion: str, root: str) -> tuple[str, str] | None:
        if not self.app.public_key:
            return "invalid_grant", "invalid assertion"
        try:
            claims = jwt.decode(
                assertion,
                self.app.public_key,
                algorithms=["RS256"],
                audience=[*self.app.audiences, root],
                options=_OPTIONS,
            )
        except jwt.InvalidAudienceError:
            return "invalid_grant", "audience is invalid"
        except jwt.InvalidTokenError:
            return "invalid_grant", "invalid assertion"
        return self._claims_error(claims)

    def _claims_error(self, claims: dict[str, Any]) -> tuple[str, str] | None:
        if claims["iss"] != self.app.consumer_key:
            return "invalid_client_id", "client identifier invalid"
        if claims["sub"] != self.app.username:
            return "invalid_grant", "user hasn't approved this consumer"
        # Some libraries write the number as a text, and Salesforce takes it.
        expires = str(claims["exp"])
        if not expires.isdecimal() or int(expires) <= self.now().timestamp():
            return "invalid_grant", "expired authorization code"
        return None


def _client_of(request: Request, form: dict[str, str]) -> dict[str, str]:
    """Return who calls: from the form, or from an Authorization header, which serves as well."""
    scheme, _, encoded = request.headers.get("AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "basic":
        return form
    name, _, secret = base64.b64decode(encoded + "==").decode("utf-8", "replace").partition(":")
    return {"client_id": name, "client_secret": secret}


def expired_session() -> ApiError:
    """Return the error for a session that is over."""
    return ApiError(401, "INVALID_SESSION_ID", "Session expired or invalid")
