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
