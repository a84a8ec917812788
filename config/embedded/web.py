"""The web server: waitress in a thread, stopped without cutting off an answer."""

import errno
import socket
import threading
import time
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from waitress.server import create_server

_DRAIN_POLL_SECONDS = 0.02
_CONNECTIONS = 500


class PortInUseError(Exception):
    """Another program listens on the port."""


class AddressUnusableError(Exception):
    """The address cannot be listened on; the message says why."""


def bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to the address.

    :raises PortInUseError: another program has the port.
    :raises AddressUnusableError: the host is not this machine's, or the port is not allowed.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Listening at once also refuses a port that is bound by another program with the same option.
        listener.listen(1024)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError from error
        raise AddressUnusableError(error.strerror or str(error)) from error
    return listener


class WebServer:
    """Answer requests in threads of its own until stopped; ``deadline`` (monotonic) is when waiting for them ends."""

    name = "web"

    def __init__(self, listener: socket.socket) -> None:
        self.deadline = 0.0
        self._channels: dict[int, Any] = {}
        self._server = create_server(
            get_wsgi_application(),
            map=self._channels,
            sockets=[listener],
            threads=settings.WEB_THREADS,
            connection_limit=_CONNECTIONS,
            # A little more than the API takes, so that its own answer says what is too large.
            max_request_body_size=settings.CRM_MAX_BODY_BYTES + 1024 * 1024,
            ident=None,
            clear_untrusted_proxy_headers=True,
            **_proxy_options(),
        )
        self._thread = threading.Thread(target=self._server.run, name="web", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def is_alive(self) -> bool:
        """Say whether requests are answered."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Take no new connections, let requests under way finish until the deadline, then end."""
        self._server.trigger.pull_trigger(self._stop_listening)
        while self._is_busy() and time.monotonic() < self.deadline:
            time.sleep(_DRAIN_POLL_SECONDS)
        self._server.trigger.pull_trigger(self._channels.clear)
        self._thread.join(timeout=1)
        self._server.task_dispatcher.shutdown(timeout=max(self.deadline - time.monotonic(), 0))

    def _stop_listening(self) -> None:
        self._server.del_channel()
        self._server.socket.close()

    def _is_busy(self) -> bool:
        channels = list(self._server.active_channels.values())
        return any(channel.requests or channel.request or channel.total_outbufs_len for channel in channels)


def _proxy_options() -> dict[str, Any]:
    # With HTTPS=true a proxy stands before us, and only it can reach this port.
    if not settings.HTTPS:
        return {}
    return {"trusted_proxy": "*", "trusted_proxy_headers": {"x-forwarded-proto"}}
