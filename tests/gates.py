"""A gate before an engine, over real connections: open, shut, or cutting the line before an answer comes back."""

import socket
import threading
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit


class Gate:
    """Passes connections on to the engine at an address; ``url`` is where to reach it through the gate.

    While ``is_shut``, whoever connects is hung up on. ``cuts`` answers are not passed on: the engine has done what it
    was asked, and nobody hears of it.
    """

    def __init__(self, engine: str) -> None:
        parts = urlsplit(engine)
        self._engine = (parts.hostname or "", parts.port or 80)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._shut = False
        self.cuts = 0
        self.url = f"{parts.scheme}://127.0.0.1:{self._server.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.shut()

    @property
    def is_shut(self) -> bool:
        return self._shut

    def shut(self) -> None:
        """Hang up on everybody, and on whoever comes."""
        self._shut = True
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def open(self) -> None:
        """Let everybody through again."""
        self._shut = False

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._server.accept()
            except OSError:
                return
            if self._shut:
                caller.close()
                continue
            engine = socket.create_connection(self._engine)
            for source, target in ((caller, engine), (engine, caller)):
                self._open.add(source)
                threading.Thread(target=self._pass, args=(source, target, source is engine), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, is_answer: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if is_answer and self.cuts:
                    self.cuts -= 1
                    break
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._open.discard(source)
        source.close()
