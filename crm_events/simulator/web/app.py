"""The WSGI application of an org: which address goes where, and what every answer carries."""

import re
from collections.abc import Callable, Iterable
from email.utils import format_datetime
from typing import Any

from crm_events.simulator.envelopes import ORG_ID
from crm_events.simulator.life.course import Life
from crm_events.simulator.org import SimulatedOrg
from crm_events.simulator.pace import Pace
from crm_events.simulator.web.bulk import BulkJobs
from crm_events.simulator.web.composite import composite
from crm_events.simulator.web.control import Control
from crm_events.simulator.web.faults import Faults
from crm_events.simulator.web.http import Answer, ApiError, Request, json_answer, not_found, text_answer
from crm_events.simulator.web.oauth import ConnectedApp, Sessions
from crm_events.simulator.web.page import Page
from crm_events.simulator.web.queries import Queries
from crm_events.simulator.web.sobjects import SObjects, object_or_404
from crm_events.simulator.web.windows import Windows

_MAX_URI = 16_384
_FIRST_VERSION, _LAST_VERSION = 20, 67
_Handler = Callable[..., Answer]


class OrgApp:
    """The org over HTTP; ``app(environ, start_response)``."""

    def __init__(self, org: SimulatedOrg, connected_app: ConnectedApp | None = None) -> None:
        self.org = org
        self.sessions = Sessions(connected_app or ConnectedApp(), org.now, org.api_user)
        self.queries = Queries(org)
        self.windows = Windows(org)
        self.bulk = BulkJobs(org)
        self.objects = SObjects(org)
        self.control = Control(org, Pace(Life(org)))
        self.control.acts.update(expire_cursors=self.queries.expire, expire_sessions=self.sessions.end_all)
        self.control.acts["fail_jobs"] = lambda: self.bulk.fail_unfinished("InternalServerError: the job was let fail")
        self._page = Page(self.control)
        self._faults = Faults(org.switches, self.sessions)
        self.calls = 0
        self.call_limit = 100_000
        self._routes = [(method, re.compile(f"{pattern}/?"), handler) for method, pattern, handler in self._table()]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request of WSGI."""
        request = Request.of(environ)
        answer = self._answer(request)
        answer.headers["Date"] = format_datetime(self.org.now(), usegmt=True)
        return answer.send(start_response)

    def close(self) -> None:
        """Let go of what the answers need."""
        self.bulk.close()
        self.queries.expire()

    def _answer(self, request: Request) -> Answer:
        try:
            if len(request.url) > _MAX_URI:
                return text_answer("<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>", "text/html", 414)
            if request.path.startswith("/services/"):
                return self._service(request)
            if request.path.startswith("/simulator/api/"):
                return self.control.api(request, request.path.removeprefix("/simulator/api/"))
            return self._page.answer(request)
        except ApiError as error:
            return error.answer

    def _service(self, request: Request) -> Answer:
        if request.path == "/services/oauth2/token" and request.method == "POST":
            return self.sessions.token(request)
        if request.path.rstrip("/") == "/services/data":
            return json_answer([_version(number) for number in range(_FIRST_VERSION, _LAST_VERSION + 1)])
        return self._api(request)

    def _api(self, request: Request) -> Answer:
        """Answer a call that needs a session and counts."""
        found = re.match(r"/services/data/v(\d\d)\.0(?=/|$)", request.path)
        if found is None or not _FIRST_VERSION <= int(found.group(1)) <= _LAST_VERSION:
            raise not_found()
        token = self.sessions.check(request)
        try:
            self._count_call()
            self._faults.before(request, token)
            answer = self._called(request, f"{found.group(1)}.0", request.path[found.end() :])
        except ApiError as error:
            answer = error.answer
        answer = self._faults.after(request, answer)
        answer.headers["Sforce-Limit-Info"] = f"api-usage={self.calls}/{self.call_limit}"
        return answer

    def _count_call(self) -> None:
        self.calls += 1
        if self.calls > self.call_limit:
            raise ApiError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")

    def _called(self, request: Request, version: str, path: str) -> Answer:
        is_known = False
        for methods, pattern, handler in self._routes:
            match = pattern.fullmatch(path)
            if match and request.method in methods.split():
                return handler(request, version, *match.groups())
            is_known = is_known or match is not None
        if is_known:
            message = f"HTTP Method '{request.method}' not allowed."
            raise ApiError(405, "METHOD_NOT_ALLOWED", message)
        raise not_found()

    def _table(self) -> list[tuple[str, str, _Handler]]:
        one = r"/sobjects/(\w+)/(\w{15}|\w{18})"
        objects, queries, windows, bulk = self.objects, self.queries, self.windows, self.bulk
        return [
            ("GET", "", lambda request, version: json_answer(self._resources(request, version))),
            ("GET", "/limits", lambda _request, _version: json_answer(self._limits())),
            ("GET", "/query", lambda request, version: queries.query(request, version, include_deleted=False)),
            ("GET", "/queryAll", lambda request, version: queries.query(request, version, include_deleted=True)),
            ("GET", r"/query/(\w+-\d+)", lambda _request, version, locator: queries.more(locator, version)),
            ("GET", "/sobjects", lambda _request, version: objects.all(version)),
            ("GET", r"/sobjects/(\w+)/describe", lambda _request, version, name: self._described(name, version)),
            ("GET", r"/sobjects/(\w+)/updated", lambda request, _, name: windows.updated(request, object_or_404(name))),
            ("GET", r"/sobjects/(\w+)/deleted", lambda request, _, name: windows.deleted(request, object_or_404(name))),
            ("GET", one, lambda r, version, name, key: objects.retrieve(r, object_or_404(name), key, version)),
            ("POST", r"/sobjects/(\w+)", lambda r, version, name: objects.create(r, object_or_404(name), version)),
            ("PATCH", one, lambda r, version, name, key: objects.update(r, object_or_404(name), key, version)),
            ("DELETE", one, lambda _, version, name, key: objects.delete(object_or_404(name), key, version)),
            (
                "GET POST",
                r"/composite/sobjects/(\w+)",
                lambda r, version, name: objects.collection(r, object_or_404(name), version),
            ),
            ("POST", "/composite", lambda request, _version: composite(request, self._part)),
            ("POST", "/jobs/query", bulk.create),
            ("GET", r"/jobs/query/(\w+)", lambda _, version, job: bulk.show(job, version)),
            ("PATCH", r"/jobs/query/(\w+)", lambda request, version, job: bulk.change(request, job, version)),
            ("DELETE", r"/jobs/query/(\w+)", lambda _, version, job: bulk.delete(job, version)),
            ("GET", r"/jobs/query/(\w+)/results", lambda request, version, job: bulk.results(request, job, version)),
        ]

    def _resources(self, request: Request, version: str) -> dict[str, str]:
        names = ("sobjects", "query", "queryAll", "limits", "jobs", "composite")
        resources = {name: f"/services/data/v{version}/{name}" for name in names}
        return {**resources, "identity": f"{request.root}/id/{ORG_ID}/{self.org.api_user}"}

    def _part(self, request: Request) -> Answer:
        """Answer a part of a composite call."""
        _, _, version, *rest = request.path.split("/", 4)[1:]
        return self._called(request, version.removeprefix("v"), f"/{'/'.join(rest)}")

    def _described(self, name: str, version: str) -> Answer:
        return self.objects.describe(object_or_404(name), version)

    def _limits(self) -> dict[str, Any]:
        left = max(self.call_limit - self.calls, 0)
        return {
            "DailyApiRequests": {"Max": self.call_limit, "Remaining": left},
            "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000},
        }


def make_app(org: SimulatedOrg, connected_app: ConnectedApp | None = None) -> OrgApp:
    """Return the WSGI application of an org."""
    return OrgApp(org, connected_app)


def _version(number: int) -> dict[str, str]:
    return {"label": f"API {number}", "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
