"""Everything between an empty folder and a service that can start; run again, it changes nothing."""

from datetime import datetime
from pathlib import Path

from django.core.management import call_command

from config.embedded.access import Access, ensure_access


def set_up(data_dir: Path, now: datetime) -> Access:
    """Bring the tables up to date, collect static files, make an administrator and API keys where there are none."""
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    return ensure_access(data_dir, now)
