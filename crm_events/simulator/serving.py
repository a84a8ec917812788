"""The org's own web server: waitress on a port of its own, in threads of this process."""

import socket
import threading
from typing import Any, Self

from waitress.server import create_server

from crm_events.simulator.org import SimulatedOrg
from crm_events.simulator.web.app import OrgApp, make_app
from crm_events.simulator.web.oauth import ConnectedApp

_THREADS = 8
# Longer than Salesforce takes, so that the org's own answer says what is too long.
_MAX_HEADER_BYTES = 64 * 1024


class OrgServer:
    """Serve an org at ``url`` between ``start`` and ``stop``; port 0 takes a free one.

    :raises OSError: the address cannot be listened on.
    """

    def __init__(
        self, org: SimulatedOrg, connected_app: ConnectedApp | None = None, *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.app: OrgApp = make_app(org, connected_app)
        self._channels: dict[int, Any] = {}
        self._server = create_server(
            self.app,
            map=self._channels,
            sockets=[_listening(host, port)],
            threads=_THREADS,
            max_request_header_size=_MAX_HEADER_BYTES,
            ident=None,
            clear_untrusted_proxy_headers=True,
        )
        self.url = f"http://{host}:{self._server.effective_port}"
        self._thread = threading.Thread(target=self._server.run, name="simulator", daemon=True)

    def start(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop answering, and close connections that callers keep."""
        channels: list[Any] = []

        def end() -> None:
            channels.extend(self._channels.values())
            self._channels.clear()

        self._server.trigger.pull_trigger(end)
        self._thread.join(timeout=5)
        self._server.task_dispatcher.shutdown(timeout=1)
        for channel in channels:
            channel.close()
        self.app.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _listening(host: str, port: int) -> socket.socket:
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        # Listening at once also refuses a port that is bound by another program with the same option.
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener
