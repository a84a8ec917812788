"""Say whether the web server of this machine answers: ``python -I config/probe.py [PATH]``, for health checks.

Standard library alone, and no import of the service's own code, so that asking every few seconds costs next to nothing.
It asks for ``/health/live``: a restart would not mend an engine that is down, which ``/health/ready`` tells of.
"""

import http.client
import os
import sys

_SECONDS = 4


def allowed_host(hosts: str) -> str:
    """Return a host name that the service answers to, of a list like that of ``ALLOWED_HOSTS``."""
    first = hosts.partition(",")[0].strip()
    return first.removeprefix(".") if first not in {"", "*"} else "localhost"


def ask(port: int, path: str, host: str) -> str:
    """Return what is wrong, or an empty text."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    try:
        connection.request("GET", path, headers={"Host": host})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as failure:
        return f"Port {port} does not answer: {failure!r}. Next: read the web server's log."
    finally:
        connection.close()
    return "" if status == http.client.OK else f"{path} answers {status}. Next: read the web server's log."


def main(arguments: list[str]) -> int:
    """Print what is wrong and return 1, or return 0."""
    path = arguments[0] if arguments else "/health/live"
    wrong = ask(int(os.environ.get("PORT") or 8000), path, allowed_host(os.environ.get("ALLOWED_HOSTS", "")))
    sys.stderr.write(f"{wrong}\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
