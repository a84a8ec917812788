"""A service that answers posts as a test wants it, over real connections."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[int, bytes]


@dataclass(frozen=True)
class Post:
    """What was posted."""

    path: str
    body: bytes
    key: str
    connection: int

    @property
    def events(self) -> list[Any]:
        parsed: list[Any] = json.loads(self.body)
        return parsed


def take(post: Post) -> Reply:
    """Answer as the service does that stored everything."""
    return 202, json.dumps({"delivery": f"d{len(post.events)}", "received": len(post.events)}).encode()


@dataclass
class Gateway:
    """Where it listens, what came, how it answers; ``cut`` is how many times it hangs up in place of an answer."""

    url: str = ""
    posts: list[Post] = field(default_factory=list)
    answer: Callable[[Post], Reply] = take
    cut: int = 0
    release: threading.Event = field(default_factory=threading.Event)

    def sizes(self) -> list[int]:
        return [len(post.events) for post in self.posts]


@contextmanager
def listening() -> Iterator[Gateway]:
    """Run a gateway on a port of its own."""
    gateway = Gateway()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            post = Post(self.path, body, self.headers["Authorization"], self.client_address[1])
            gateway.posts.append(post)
            if gateway.cut:
                gateway.cut -= 1
                self.close_connection = True
                return
            status, content = gateway.answer(post)
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """Say nothing where a client hung up."""

    with Server(("127.0.0.1", 0), Handler) as server:
        gateway.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield gateway
        finally:
            gateway.release.set()
            server.shutdown()
            thread.join()
