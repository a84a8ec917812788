"""Beat's schedule: kept in the database, with a sign of life at every tick."""

import socket
from typing import Any

from django.conf import settings

from config.liveness import Sign
from config.schedules import KeepingScheduler


class Scheduler(KeepingScheduler):
    """Start what is due. A second beat beside this one does no harm: whatever it starts is claimed by one worker."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._sign = Sign(f"beat@{socket.gethostname()}", settings.DATA_DIR)
        super().__init__(*args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """Start what is due; return the seconds until the next."""
        self._sign.give()
        return super().tick(*args, **kwargs)

    def apply_async(self, entry: Any, producer: Any = None, advance: bool = True, **kwargs: Any) -> Any:  # noqa: ARG002  # the package's signature
        """Send a task by a connection of the application's pool.

        The producer that the package keeps goes on with its one connection, which does not come back after the broker
        was away; the pool replaces one that failed.
        """
        return super().apply_async(entry, producer=None, advance=advance, **kwargs)
