"""What every engine says about itself; `engines.server` does the rest."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True)
class Site:
    """Where one server lives: its folder, its loopback ports, and whether its data shall outlive it."""

    home: Path
    ports: tuple[int, ...]
    lasting: bool = False

    @property
    def port(self) -> int:
        """The port that clients use."""
        return self.ports[0]

    @property
    def data(self) -> Path:
        """The folder of the engine's data."""
        return self.home / "data"


@dataclass(frozen=True)
class Launch:
    """A server's program: what to run, which variables it has beside the few that all have, and what ends it."""

    command: tuple[str | Path, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = "TERM"


class Engine(ABC):
    """One kind of server. It holds no state: what differs between two running ones is their `Site`."""

    name: ClassVar[str]
    product: ClassVar[str]
    serves: ClassVar[str]
    """The port of the service, or the part of it, that the engine stands behind."""
    port_count: ClassVar[int] = 1
    development_port: ClassVar[int]
    """The first of the ports it prefers where a developer starts it."""
    start_timeout_seconds: ClassVar[int] = 60

    @abstractmethod
    def why_missing(self) -> str | None:
        """Return what the machine lacks; how to get it (with ``; `` between), or None. Quick, without the network."""

    @abstractmethod
    def version(self) -> str:
        """Return the version that runs here; only where nothing is missing."""

    @property
    def title(self) -> str:
        """Product and version."""
        return f"{self.product} {self.version()}" if self.why_missing() is None else self.product

    @property
    def account(self) -> str | None:
        """The account that servers run under; None for that of whoever starts them."""
        return None

    def fetch(self) -> None:  # noqa: B027  # most are installed, not fetched
        """Fetch what is not on the machine yet; do nothing the second time.

        :raises EngineMissingError: it cannot be had, for example without network.
        """

    @abstractmethod
    def prepare(self, site: Site) -> None:
        """Write what the server reads at its start. Its data folder may be there from before."""

    @abstractmethod
    def launch(self, site: Site) -> Launch:
        """Return the program to run there."""

    @abstractmethod
    def answers(self, site: Site) -> bool:
        """Whether the server there is ready for clients; quick, never raises for a server that is not."""

    @abstractmethod
    def url(self, site: Site) -> str:
        """Return the address for clients."""

    @abstractmethod
    def variables(self, url: str) -> dict[str, str]:
        """Return the variables of the environment that make the service use the engine at this address."""
