"""Questions to a server on a loopback port whose answer tells that it is ready."""

import http.client
import socket

from engines.ports import LOOPBACK


def http_answer(port: int, path: str, timeout: float = 2.0) -> tuple[int, str]:
    """Return status and body of a GET; status 0 if nobody answers."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=timeout)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def first_bytes(port: int, said: bytes, timeout: float = 2.0) -> bytes:
    """Return the first bytes of the answer to these; nothing if nobody answers."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=timeout) as connection:
            connection.sendall(said)
            return connection.recv(64)
    except OSError:
        return b""
