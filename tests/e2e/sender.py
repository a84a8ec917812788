"""Somebody who posts one request after the other, and never loses one."""

import threading
import time

import requests

from tests.e2e.expectations import Expectations
from tests.e2e.history import History
from tests.e2e.serving import RunningService


class Sender(threading.Thread):
    """Posts one request after the other; each again until it was answered with 202, as a real sender does.

    ``slowest`` is the longest wait for an answer of any kind, in seconds.
    """

    def __init__(self, service: RunningService, history: History, expected: Expectations) -> None:
        super().__init__(daemon=True)
        self.accepted: list[str] = []
        self.slowest = 0.0
        self.asked_to_stop = threading.Event()
        self._service, self._history, self._expected = service, history, expected
        self._session = requests.Session()

    def run(self) -> None:
        while not self.asked_to_stop.wait(0.01):
            body = self._history.next_request()
            while not (delivery := self._post(body)):
                self.asked_to_stop.wait(0.05)
            self._expected.add(body)
            self.accepted.append(delivery)

    def stop(self) -> None:
        """Finish the request under way, and end."""
        self.asked_to_stop.set()
        self.join(60)
        assert not self.is_alive()

    def _post(self, body: bytes) -> str:
        headers = {"Authorization": f"Bearer {self._service.key('ingest')}", "Content-Type": "application/json"}
        began = time.monotonic()
        try:
            answer = self._session.post(f"{self._service.url}/api/v1/events/", body, headers=headers, timeout=20)
        except requests.RequestException:
            return ""
        self.slowest = max(self.slowest, time.monotonic() - began)
        assert answer.status_code in (202, 429, 503), answer.text
        return str(answer.json()["delivery"]) if answer.status_code == 202 else ""
