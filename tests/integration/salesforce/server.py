"""A small HTTP server that plays Salesforce's part as a test writes it."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

DATA = "/services/data/v67.0"
TOKEN = "/services/oauth2/token"
# More than any test needs: whoever asks without end is refused, so that its test fails.
_MOST_REQUESTS = 500


@dataclass(frozen=True, slots=True)
class Request:
    """What the server was asked: ``query`` and ``form`` are the first values of the address and of a posted form."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: str

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body).items()}

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answers; ``body`` is text as it is, or a value to be sent as JSON. ``None`` headers are left out.

    ``hang_up`` ends the connection: before the answer (``""``: at once), or after a part of the body.
    """

    body: Any = None
    status: int = 200
    headers: dict[str, str | None] = field(default_factory=dict)
    hang_up: bool = False

    @property
    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


def an_error(status: int, code: str, message: str = "no") -> Answer:
    return Answer([{"errorCode": code, "message": message}], status)


Script = Answer | Callable[[Request], Answer]


class FakeSalesforce:
    """Answers paths as it was told; what it was not told is a 404."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.tokens = 0
        self.date: Callable[[], str] = lambda: formatdate(usegmt=True)
        self._lock = Lock()
        self._scripts: list[tuple[str, re.Pattern[str], list[Script]]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.on("POST", re.escape(TOKEN), self._token)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def on(self, method: str, path: str, *scripts: Script) -> None:
        """Answer a path (an expression for all of it; ``DATA`` is put before a relative one) by each script in turn.

        The last script goes on answering. What was told later wins.
        """
        whole = path if path.startswith(("/", r"\/")) else f"{re.escape(DATA)}/{path}"
        self._scripts.insert(0, (method, re.compile(whole), list(scripts)))

    def on_query(self, *scripts: Script) -> None:
        """Answer the first page of SOQL queries."""
        self.on("GET", "query(All)?/", *scripts)

    def on_describe(self, entity: str, **types: str) -> None:
        fields = [{"name": name, "type": kind} for name, kind in types.items()]
        self.on("GET", f"sobjects/{entity}/describe", Answer({"name": entity, "fields": fields}))

    def asked(self, method: str, path: str = ".*") -> list[Request]:
        """Return the requests to the API whose path fits."""
        whole = re.compile(f"{re.escape(DATA)}/{path}")
        return [request for request in self.requests if request.method == method and whole.fullmatch(request.path)]

    def _token(self, _request: Request) -> Answer:
        self.tokens += 1
        return Answer({"access_token": f"token-{self.tokens}", "instance_url": "https://acme.my.salesforce.com"})

    def answer(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            if len(self.requests) > _MOST_REQUESTS:
                return an_error(400, "ENDLESS", "This caller does not stop")
            for method, path, scripts in self._scripts:
                if method == request.method and path.fullmatch(request.path):
                    script = scripts.pop(0) if len(scripts) > 1 else scripts[0]
                    return script if isinstance(script, Answer) else script(request)
        return an_error(404, "NOT_FOUND", "The requested resource does not exist")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else each answer waits for the acknowledgement of its headers

            def _serve(self) -> None:
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                answer = fake.answer(Request(self.command, parts.path, query, dict(self.headers), body))
                self._send(answer)

            do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815  # names of the base class

            def _send(self, answer: Answer) -> None:
                content = answer.content if answer.status != 204 else b""
                headers: dict[str, str | None] = {
                    "Date": fake.date(),
                    "Content-Type": "application/json;charset=UTF-8",
                    "Content-Length": str(len(content)),
                    **answer.headers,
                }
                self.close_connection = answer.hang_up
                if answer.hang_up and not content:
                    return
                self.send_response_only(answer.status)
                for name, value in headers.items():
                    if value is not None:
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content[: len(content) // 2] if answer.hang_up else content)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler

    @contextmanager
    def running(self) -> Iterator["FakeSalesforce"]:
        thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


def a_result(records: list[dict[str, Any]], next_url: str | None = None, total: int | None = None) -> Answer:
    """Return the answer to a query."""
    rows = [{"attributes": {"type": "Account", "url": f"{DATA}/sobjects/Account/x"}, **record} for record in records]
    page: dict[str, Any] = {"totalSize": len(rows) if total is None else total, "done": next_url is None}
    if next_url is not None:
        page["nextRecordsUrl"] = next_url
    return Answer({**page, "records": rows})
