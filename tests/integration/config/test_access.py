from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from config.embedded.access import ensure_access
from crm_api.auth import find_key, revoke_key

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_makes_an_administrator_and_a_key_for_each_kind_of_caller(tmp_path: Path) -> None:
    access = ensure_access(tmp_path, NOW)
    assert User.objects.get(username=access.login, is_superuser=True).check_password(access.password)
    scopes = {name: found.scopes for name, key in access.keys.items() if (found := find_key(f"Bearer {key}", NOW))}
    assert scopes == {"ingest": ["ingest"], "read": ["read"], "operate": ["operate"]}


def test_finds_them_again_on_the_next_start(tmp_path: Path) -> None:
    assert ensure_access(tmp_path, NOW) == ensure_access(tmp_path, NOW)


def test_keeps_secrets_where_only_their_owner_reads(tmp_path: Path) -> None:
    ensure_access(tmp_path, NOW)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "access").iterdir()} == {0o600}
    assert (tmp_path / "access").stat().st_mode & 0o777 == 0o700


def test_shows_no_password_that_does_not_work_any_more(tmp_path: Path) -> None:
    login = ensure_access(tmp_path, NOW).login
    admin = User.objects.get(username=login)
    admin.set_password("chosen in the console")
    admin.save()
    assert ensure_access(tmp_path, NOW).password == ""


def test_replaces_a_revoked_key(tmp_path: Path) -> None:
    first = ensure_access(tmp_path, NOW).keys["read"]
    row = find_key(f"Bearer {first}", NOW)
    assert row is not None
    revoke_key(row.pk, NOW)
    second = ensure_access(tmp_path, NOW).keys["read"]
    assert second != first
    assert find_key(f"Bearer {second}", NOW) is not None


def test_gives_a_new_database_the_password_that_was_kept(tmp_path: Path) -> None:
    before = ensure_access(tmp_path, NOW)
    User.objects.all().delete()
    assert ensure_access(tmp_path, NOW).password == before.password
