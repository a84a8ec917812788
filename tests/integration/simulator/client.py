"""A program that talks to a simulated org over HTTP, logged in with client credentials."""

from typing import Any

import requests

from crm_events.simulator.serving import OrgServer

VERSION = "66.0"


class OrgClient:
    """Calls of one API version on one server."""

    def __init__(self, server: OrgServer) -> None:
        self.server = server
        self.session = requests.Session()
        self.log_in()

    def log_in(self) -> None:
        app = self.server.app.sessions.app
        form = {
            "grant_type": "client_credentials",
            "client_id": app.consumer_key,
            "client_secret": app.consumer_secret,
        }
        answer = requests.post(f"{self.server.url}/services/oauth2/token", data=form, timeout=10)
        self.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """Call an address below the version, or one of the server's own that begins with a slash."""
        base = self.server.url if path.startswith("/") else f"{self.server.url}/services/data/v{VERSION}/"
        return self.session.request(method, base + path, timeout=20, **options)

    def get(self, path: str, **query: str) -> Any:
        """Return the JSON of a call that succeeds."""
        answer = self.call("GET", path, params=query)
        assert answer.ok, answer.text
        return answer.json()

    def query(self, soql: str) -> list[dict[str, Any]]:
        """Return the rows of the first page of a query, without their attributes."""
        records = self.get("query", q=soql)["records"]
        return [{name: value for name, value in row.items() if name != "attributes"} for row in records]

    def error(self, method: str, path: str, **options: Any) -> tuple[int, str]:
        """Return status and errorCode of a call that fails."""
        answer = self.call(method, path, **options)
        return answer.status_code, answer.json()[0]["errorCode"]
