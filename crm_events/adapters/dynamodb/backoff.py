"""Waiting between tries, longer each time and by chance, so that those who met once do not meet again."""

import time
from random import SystemRandom

from crm_events.ports.event_store import EventStoreUnavailableError

_RANDOM = SystemRandom()


class Backoff:
    """Count the tries of one piece of work and wait before the next; give up after too many."""

    def __init__(self, tries: int, first_seconds: float = 0.05, longest_seconds: float = 2.0) -> None:
        self._tries = tries
        self._longest = longest_seconds
        self._seconds = first_seconds
        self.count = 0

    def wait(self, reason: str) -> None:
        """Wait, anything up to a time that doubles.

        :raises EventStoreUnavailableError: that was the last try; ``reason`` is what it says, in plain words.
        """
        self.count += 1
        if self.count >= self._tries:
            raise EventStoreUnavailableError(reason)
        time.sleep(_RANDOM.uniform(0, min(self._seconds, self._longest)))
        self._seconds *= 2
