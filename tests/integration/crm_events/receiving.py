"""A service that only receives: it keeps what is posted, answers as a test tells it, and calls everything projected."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    """What was posted, and how to answer.

    ``answers`` are given to the next posts, as (status, headers), before they are taken.
    """

    def __init__(self) -> None:
        self.bodies: list[list[dict[str, Any]]] = []
        self.keys: set[str] = set()
        self.connections: set[tuple[str, int]] = set()
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.url = ""

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for body in self.bodies for event in body]

    def take(self, body: bytes) -> tuple[int, dict[str, str], Any]:
        if self.answers:
            status, headers = self.answers.pop(0)
            return status, headers, {"detail": "It is not taken."}
        self.bodies.append(json.loads(body))
        return 202, {}, {"delivery": f"delivery-{len(self.bodies)}", "received": len(self.bodies[-1])}

    def look(self, path: str) -> tuple[int, dict[str, str], Any]:
        number = int(path.partition("delivery-")[2].partition("/")[0])
        outcomes = [_outcome(index) for index in range(len(self.bodies[number - 1]))]
        return 200, {}, {"id": f"delivery-{number}", "status": "projected", "outcomes": outcomes}


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver on a port of its own."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            receiver.keys.add(self.headers["Authorization"])
            receiver.connections.add(self.client_address)
            self._answer(*receiver.take(self.rfile.read(int(self.headers["Content-Length"]))))

        def do_GET(self) -> None:
            self._answer(*receiver.look(self.path))

        def _answer(self, status: int, headers: dict[str, str], body: Any) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


def _outcome(index: int) -> dict[str, Any]:
    return {"index": index, "outcome": "recorded", "entity": "", "entity_id": "", "version": 1, "detail": ""}
