"""Starts an engine for the whole test run when the first test asks; with several processes, the first of them does."""

import json
import os
import shutil
import socket
import socketserver
import tempfile
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from engines.catalogue import ENGINES
from engines.errors import EngineFailedError, EngineMissingError
from engines.server import Server

ADDRESS: Final = "TEST_ENGINES_DESK"  # the variable that tells the other processes where the desk is


@dataclass(frozen=True)
class Answer:
    """The engine's address, or why there is none: it is missing here, or it did not come up."""

    url: str = ""
    missing: str = ""
    failed: str = ""


def named_by_developer(name: str) -> str:
    """Return the address of a running engine that the developer named for the tests, if any."""
    ending = "ENDPOINT" if name in {"dynamodb", "aws"} else "URL"
    return os.environ.get(f"TEST_{name.upper()}_{ending}", "")


class Desk:
    """Answers for each engine once; who asks while it starts waits."""

    def __init__(self) -> None:
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._answers: dict[str, Answer] = {}
        self._servers: list[Server] = []
        self._listener: _Listener | None = None

    def ask(self, name: str) -> Answer:
        """Return the engine's address, started if it did not run yet."""
        with self._locks[name]:
            if name not in self._answers:
                self._answers[name] = self._start(name)
            return self._answers[name]

    def _start(self, name: str) -> Answer:
        if url := named_by_developer(name):
            return Answer(url)
        if why := ENGINES[name].why_missing():
            return Answer(missing=why)
        server = Server(ENGINES[name])
        self._servers.append(server)
        try:
            server.start()
        except EngineMissingError as error:
            return Answer(missing=str(error))
        except EngineFailedError as error:
            return Answer(failed=str(error))
        return Answer(server.url)

    def listen(self) -> None:
        """Let other processes ask too."""
        self._listener = _Listener(self)
        os.environ[ADDRESS] = str(self._listener.server_address)

    def close(self) -> None:
        """Stop all that was started."""
        if self._listener is not None:
            os.environ.pop(ADDRESS, None)
            self._listener.close()
            self._listener = None
        with ThreadPoolExecutor() as pool:
            list(pool.map(Server.stop, self._servers))


def ask_the_first_process(name: str) -> Answer:
    """Return what the desk of the process that started this one answers."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.environ[ADDRESS])
        connection.sendall(f"{name}\n".encode())
        with connection.makefile() as answer:
            return Answer(**json.loads(answer.readline()))


class _Listener(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        # Not below the project: the path of a Unix socket may have about a hundred characters.
        self._folder = Path(tempfile.mkdtemp(prefix="crm-desk-"))
        super().__init__(str(self._folder / "desk"), _Request)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        shutil.rmtree(self._folder, ignore_errors=True)


class _Request(socketserver.StreamRequestHandler):
    server: _Listener

    def handle(self) -> None:
        answer = self.server.desk.ask(self.rfile.readline().decode().strip())
        self.wfile.write(json.dumps(asdict(answer)).encode() + b"\n")
