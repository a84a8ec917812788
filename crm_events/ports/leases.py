"""Rights that one process at a time may hold, such as the right to sweep."""

from abc import ABC, abstractmethod
from datetime import datetime, timedelta


class Leases(ABC):
    """Hand out named rights for a bounded time."""

    @abstractmethod
    def take(self, name: str, duration: timedelta, now: datetime) -> str | None:
        """Return a token if the right was free or its time was over, else ``None``."""

    @abstractmethod
    def give_back(self, name: str, token: str, now: datetime) -> None:
        """End a lease early; one that somebody else holds by now is left alone."""
