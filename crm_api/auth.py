"""Who may call: API keys, made, found and checked."""

import hashlib
import logging
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import OperationalError
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from crm_api.errors import KeyRejectedError, KeyRequiredError, ScopeMissingError
from crm_api.models import ApiKey, Scope

KEY_PREFIX = "cms_"
_RANDOM_BYTES = 32
_MAX_KEY_LENGTH = 200
_USE_RESOLUTION = timedelta(minutes=1)
# Written out: every request asks this, and composing it anew took three times as long as asking it.
_FIND = "SELECT * FROM crm_api_apikey WHERE key_hash = %s"
logger = logging.getLogger(__name__)


def create_key(
    name: str, scopes: Sequence[str], now: datetime, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """Make a key of 256 random bits; return its row and the key itself, which nobody can show again.

    :raises ValueError: a scope is unknown, or none is given.
    """
    unknown = sorted(set(scopes) - set(Scope.values))
    if unknown or not scopes:
        raise ValueError(f"Choose scopes among {', '.join(Scope.values)}; got {', '.join(unknown) or 'none'}.")
    key = KEY_PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    row = ApiKey.objects.create(
        name=name,
        key_hash=hash_key(key),
        prefix=key[:12],
        scopes=[scope for scope in Scope.values if scope in scopes],
        created_at=now,
        expires_at=expires_at,
    )
    return row, key


def revoke_key(key_id: int, now: datetime) -> bool:
    """End a key for good, from the next request on; return false if it was revoked before."""
    return ApiKey.objects.filter(pk=key_id, revoked_at=None).update(revoked_at=now) == 1


def hash_key(key: str) -> str:
    """Return what is kept of a key. Random bits need no salt and no slow hash."""
    return hashlib.sha256(key.encode()).hexdigest()


def authenticate_request(request: HttpRequest, scope: str) -> ApiKey:
    """Return the key of a request outside the API framework, if it allows the scope.

    Costs one indexed query, so a revoked key is refused at once.

    :raises KeyRequiredError: there is no bearer key.
    :raises KeyRejectedError: the key is unknown, revoked or expired.
    :raises ScopeMissingError: the key lacks the scope.
    """
    key = find_key(request.META.get("HTTP_AUTHORIZATION", ""), timezone.now())
    if key is None:
        raise KeyRequiredError
    require_scope(key, [scope])
    return key


def find_key(authorization: str, now: datetime) -> ApiKey | None:
    """Return the key that an ``Authorization`` header names, or ``None`` if the header is empty.

    :raises KeyRejectedError: it is no bearer key, or an unknown, revoked or expired one.
    """
    if not authorization:
        return None
    method, _, token = authorization.partition(" ")
    token = token.strip()
    if method.lower() != "bearer" or not 0 < len(token) <= _MAX_KEY_LENGTH:
        raise KeyRejectedError
    key = next(iter(ApiKey.objects.raw(_FIND, [hash_key(token)])), None)
    if key is None or key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
        raise KeyRejectedError
    _note_use(key, now)
    return key


def require_scope(key: ApiKey, scopes: Sequence[str]) -> None:
    """Return if the key has one of the scopes.

    :raises ScopeMissingError: it has none of them.
    """
    if not any(key.allows(scope) for scope in scopes):
        raise ScopeMissingError(key.name, scopes)


def _note_use(key: ApiKey, now: datetime) -> None:
    stale_before = now - _USE_RESOLUTION
    if key.last_used_at is not None and key.last_used_at > stale_before:
        return
    unnoted = Q(last_used_at=None) | Q(last_used_at__lte=stale_before)
    try:
        ApiKey.objects.filter(unnoted, pk=key.pk).update(last_used_at=now)
    except OperationalError:
        # A busy database must not turn a good request away for the sake of this note.
        logger.warning("last use of API key %s not noted", key.prefix)
