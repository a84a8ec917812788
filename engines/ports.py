"""Loopback ports that are free, and stay so until the server takes them."""

import socket
from typing import Self

LOOPBACK = "127.0.0.1"


class ReservedPorts:
    """Ports bound but not listened on: nobody else is given them, and a server may still take them.

    A server may because it binds with SO_REUSEADDR, as all of ours do.
    """

    def __init__(self, count: int, preferred: tuple[int, ...] = ()) -> None:
        self._sockets = [socket.socket() for _ in range(count)]
        try:
            self._bind(preferred or (0,) * count)
        except OSError:
            self.release()
            raise

    @classmethod
    def preferring(cls, preferred: tuple[int, ...]) -> Self:
        """Reserve these ports, or any free ones if one of them is taken."""
        try:
            return cls(len(preferred), preferred)
        except OSError:
            return cls(len(preferred))

    def _bind(self, ports: tuple[int, ...]) -> None:
        for bound, port in zip(self._sockets, ports, strict=True):
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((LOOPBACK, port))

    @property
    def ports(self) -> tuple[int, ...]:
        """Their numbers, in a fixed order."""
        return tuple(bound.getsockname()[1] for bound in self._sockets)

    def release(self) -> None:
        """Let go of them; a second time does nothing."""
        for bound in self._sockets:
            bound.close()
