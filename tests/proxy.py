"""A TCP proxy in front of an engine, which can break connections, hold answers back, or be gone for a while."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

_CHUNK = 65_536
# Closing sends a reset instead of an orderly end.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Proxy:
    """Hand everything on, until told otherwise.

    ``resets``: so many of the next answers are lost, their connection is reset after the engine has done the work.
    ``silent``: no answer is handed on. ``gone``: connections are closed as soon as they come, and
    counted in ``refused``.
    """

    def __init__(self, url: str) -> None:
        self._target = (urlsplit(url).hostname or "127.0.0.1", urlsplit(url).port or 80)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self.resets = 0
        self.silent = False
        self.gone = False
        self.refused = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        if self.gone:
            self.refused += 1
            client.close()
            return
        engine = socket.create_connection(self._target)
        threading.Thread(target=self._pump, args=(client, engine), daemon=True).start()
        self._answer(engine, client)

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _answer(self, engine: socket.socket, client: socket.socket) -> None:
        with suppress(OSError), engine, client:
            while data := engine.recv(_CHUNK):
                if self.gone or self._takes_reset():
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
                    client.shutdown(socket.SHUT_RDWR)  # wakes the other direction, which keeps the socket open
                    return
                if not self.silent:
                    client.sendall(data)

    def _takes_reset(self) -> bool:
        with self._lock:
            taken = self.resets > 0
            self.resets -= taken
            return taken


@contextmanager
def proxy_to(url: str) -> Iterator[Proxy]:
    """Yield a proxy to the engine at an address."""
    proxy = Proxy(url)
    try:
        yield proxy
    finally:
        proxy.close()
