"""When tasks run: the settings say it for a new database, and from then on people do, in the console."""

from typing import Any

from celery import Celery
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry


class KeptEntry(ModelEntry):  # type: ignore[misc]
    """A schedule as the database has it.

    The package writes the settings over the database at every start (``ModelEntry.from_entry``), and with that over
    what somebody changed in the console.
    """

    @classmethod
    def from_entry(cls, name: str, app: Celery | None = None, **entry: Any) -> "KeptEntry":
        """Return the schedule of a name as it is kept; it is made from the settings only if there is none."""
        kept = PeriodicTask.objects.filter(name=name).first()
        made: KeptEntry = cls(kept, app=app) if kept else super().from_entry(name, app=app, **entry)
        return made


class KeepingScheduler(DatabaseScheduler):  # type: ignore[misc]
    """Beat's schedules in the database, where a restart changes none of them."""

    Entry = KeptEntry
