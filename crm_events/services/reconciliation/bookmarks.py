"""How far checks that go on from run to run have come."""

from datetime import datetime
from typing import Any

from crm_events.models import Bookmark


def bookmark(name: str) -> Any:
    """Return what was kept under a name, or ``None``."""
    return Bookmark.objects.filter(pk=name).values_list("at", flat=True).first()


def keep_bookmark(name: str, at: Any, now: datetime) -> None:
    """Keep a place (JSON) under a name."""
    Bookmark.objects.update_or_create(pk=name, defaults={"at": at, "changed_at": now})
