"""What an adapter whose engine needs tables, indexes or buses can say and do about them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Condition(StrEnum):
    """How a thing in an engine stands, or what was done about it.

    ``READY``: as it must be. ``MISSING`` and ``DIFFERENT``: not so, and nothing was done. ``CREATED`` and ``CHANGED``:
    now it is. ``UNSUPPORTED``: this endpoint has no such thing (a local engine without backups), which is no error.
    """

    READY = "ready"
    MISSING = "missing"
    DIFFERENT = "different"
    CREATED = "created"
    CHANGED = "changed"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing in an engine (``table crm-events``), how it stands, and in plain words what differs or was done."""

    subject: str
    condition: Condition
    detail: str = ""

    @property
    def is_fault(self) -> bool:
        """Say whether the service cannot work properly with the thing as it is."""
        return self.condition in {Condition.MISSING, Condition.DIFFERENT}


class Provisioned(ABC):
    """An adapter with things of its own in an engine. Adapters without this have tables that ``migrate`` makes."""

    @abstractmethod
    def verify(self) -> Sequence[Finding]:
        """Say how everything stands; change nothing.

        :raises CrmError: the port's own ``...UnavailableError`` if the engine does not answer.
        """

    @abstractmethod
    def provision(self) -> Sequence[Finding]:
        """Create what is missing, change what can be changed safely, and say what was done; safe to repeat.

        A thing that differs and cannot be changed without losing data stays as it is: ``DIFFERENT``, and the detail
        says what to do.

        :raises CrmError: the port's own ``...UnavailableError`` if the engine does not answer.
        """
