"""The process's boto3 client for EventBridge."""

import os
from typing import TYPE_CHECKING, Final

from boto3.session import Session
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

# Requests of one publish that are on their way at the same time.
PARALLEL: Final = 4
_CONFIG: Final = Config(
    connect_timeout=5,
    read_timeout=10,
    max_pool_connections=PARALLEL,
    # Waits longer between requests while the account is throttled, in all threads of the client.
    retries={"mode": "adaptive", "total_max_attempts": 3},
    tcp_keepalive=True,
)


class ProcessClient:
    """One client for each process: a forked child makes its own, for it must not share the parent's connections.

    Region, credentials and endpoint come from where boto3 always takes them.
    """

    def __init__(self) -> None:
        self._made: tuple[int, EventBridgeClient] | None = None

    def get(self) -> "EventBridgeClient":
        """Return the client; safe in threads.

        :raises botocore.exceptions.BotoCoreError: there is no region, or another setting of boto3 is wrong.
        """
        made = self._made
        if made is None or made[0] != os.getpid():
            # A session of its own, because the default one must not be used by two threads. Two who come here at once
            # make two clients, and one of them is dropped.
            made = (os.getpid(), Session().client("events", config=_CONFIG))
            self._made = made
        return made[1]
