"""``manage.py setup_embedded``: make tables, static files, an administrator and API keys, and say where they are."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from config.embedded.first_run import set_up


class Command(BaseCommand):
    """Set up what ``manage.py serve`` needs, which does the same by itself."""

    help = "Make tables, static files, an administrator and API keys where they are missing."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Set up, and name the files with password and keys."""
        set_up(settings.DATA_DIR, timezone.now())
        self.stdout.write(f"Ready. Password and API keys are in {settings.DATA_DIR / 'access'}.")
