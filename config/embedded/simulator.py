"""The simulated Salesforce org that goes with the embedded service: where it answers, and how the service reads it."""

import socket
from dataclasses import dataclass
from typing import Any, Self

from django.conf import settings

from config.embedded.access import key_file
from config.embedded.child import ChildCommand
from crm_events.simulator.web.oauth import ConnectedApp

_HOST = "127.0.0.1"
_USUAL_PORT = 8010


@dataclass(frozen=True, slots=True)
class Simulator:
    """An org on this machine: the address of its page, and the command that runs it."""

    page: str
    command: ChildCommand

    @classmethod
    def beside(cls, service_url: str, port: int = 0) -> Self:
        """Return an org that sends its events to a service, which reads it in turn.

        It answers on ``port``; on the usual one, or a free one where that is taken, if the port is 0. A service that
        was told to read another Salesforce goes on to do so.
        """
        port = port or (_USUAL_PORT if _is_free(_USUAL_PORT) else _free_port())
        url = f"http://{_HOST}:{port}"
        if settings.CRM_SOURCE is None:
            settings.CRM_SOURCE = _source(url)
        key = str(key_file(settings.DATA_DIR, "ingest"))
        arguments = ["simulator", "--port", str(port), "--url", service_url, "--key-file", key]
        return cls(f"{url}/simulator/", ChildCommand(arguments, settings.BASE_DIR))


def _source(url: str) -> dict[str, Any]:
    path, options = settings.CRM_SOURCES["salesforce"]
    app = ConnectedApp()
    own = {"url": url, "client_id": app.consumer_key, "client_secret": app.consumer_secret}
    return {"BACKEND": path, "OPTIONS": {**options, **own}}


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((_HOST, port)) != 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port
