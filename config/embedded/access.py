"""How to get in: an administrator and API keys, made on the first run and kept beside the data."""

import os
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.contrib.auth import get_user_model

from crm_api.auth import create_key, find_key
from crm_api.errors import KeyRejectedError
from crm_api.models import Scope

ADMIN_LOGIN = "admin"
# A key for each kind of caller, with no more scopes than it needs.
KEYS = {
    "ingest": (Scope.INGEST,),
    "read": (Scope.READ,),
    "operate": (Scope.OPERATE,),
}


@dataclass(frozen=True, slots=True)
class Access:
    """Login, password (empty if somebody changed it since) and API keys by name."""

    login: str
    password: str
    keys: dict[str, str]


def key_file(data_dir: Path, name: str) -> Path:
    """Return where a key is kept, alone in its file."""
    return data_dir / "access" / f"{name}-key"


def ensure_access(data_dir: Path, now: datetime) -> Access:
    """Make what is missing, and return what there is. An API key that was revoked gets a successor."""
    (data_dir / "access").mkdir(mode=0o700, exist_ok=True)
    password = _ensure_admin(data_dir / "access" / "admin-password")
    keys = {name: _ensure_key(key_file(data_dir, name), name, scopes, now) for name, scopes in KEYS.items()}
    return Access(ADMIN_LOGIN, password, keys)


def _ensure_admin(path: Path) -> str:
    users = get_user_model().objects
    admin = users.filter(username=ADMIN_LOGIN).first()
    password = path.read_text().strip() if path.exists() else ""
    if admin is not None:
        return password if password and admin.check_password(password) else ""
    # Kept first: a password nobody knows would be worse than one without its user.
    password = password or _keep(path, secrets.token_urlsafe(12))
    users.create_superuser(ADMIN_LOGIN, password=password)
    return password


def _ensure_key(path: Path, name: str, scopes: tuple[Scope, ...], now: datetime) -> str:
    if path.exists():
        key = path.read_text().strip()
        try:
            find_key(f"Bearer {key}", now)
        except KeyRejectedError:
            pass
        else:
            return key
    _, key = create_key(f"first run: {name}", scopes, now)
    return _keep(path, key)


def _keep(path: Path, secret: str) -> str:
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{secret}\n")
    draft.replace(path)
    return secret
