"""RabbitMQ, from the machine's own package, as a node of our own beside whatever else runs there."""

import re
import shutil
from pathlib import Path
from typing import ClassVar

from engines.engine import Engine, Launch, Site
from engines.health import first_bytes

# Erlang starts a port mapper (epmd) that stays behind for ever, unless one runs already: so we run our own, which goes
# with the server because it is in the keeper's process group.
_WITH_PORT_MAPPER = """
epmd -port "$ERL_EPMD_PORT" -address "$ERL_EPMD_ADDRESS" &
until epmd -names >/dev/null 2>&1; do sleep 0.05; done
exec "$@"
"""
_CONFIGURATION = """
listeners.tcp.local = 127.0.0.1:{port}
distribution.listener.interface = 127.0.0.1
log.console = true
log.console.level = warning
log.file = false
"""
# Debian's wrapper in /usr/sbin insists on the package's account and folders; these are behind it.
_PLACES = (
    "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin",
    "/usr/local/lib/rabbitmq_server-*/sbin",
    "/opt/rabbitmq/sbin",
)


class RabbitMQ(Engine):
    """One node with its own name, folders, ports, cookie and port mapper."""

    name: ClassVar = "rabbitmq"
    product: ClassVar = "RabbitMQ"
    serves: ClassVar = "Celery broker (rabbitmq)"
    port_count: ClassVar = 3
    development_port: ClassVar = 25672
    start_timeout_seconds: ClassVar = 120

    def why_missing(self) -> str | None:
        """Its program, and Erlang's."""
        if _find_server() is None:
            return "no rabbitmq-server on this machine; install the package rabbitmq-server"
        if shutil.which("epmd") is None or shutil.which("erl") is None:
            return "no Erlang on this machine; install the package erlang-base"
        return None

    def version(self) -> str:
        """As the folder of the installation is named."""
        match = re.search(r"rabbitmq_server-([\d.]+)", str(_find_server()))
        return match.group(1) if match else ""

    def prepare(self, site: Site) -> None:
        """Write the configuration; none of the machine's is read."""
        site.data.mkdir(exist_ok=True)
        (site.home / "rabbitmq.conf").write_text(_CONFIGURATION.format(port=site.port))
        (site.home / "enabled_plugins").write_text("[].\n")

    def launch(self, site: Site) -> Launch:
        """Its port mapper knows no other node, so the name, to which the data belongs, is always the same."""
        _, distribution, mapper = map(str, site.ports)
        environment = {
            "RABBITMQ_NODENAME": "client-management@localhost",
            "RABBITMQ_CONFIG_FILE": str(site.home / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(site.home / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(site.home / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(site.data),
            "RABBITMQ_LOG_BASE": str(site.home),
            "RABBITMQ_DIST_PORT": distribution,
            "ERL_EPMD_PORT": mapper,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            # Without these two the script stays in between and hands no signal on.
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_START_ARGS": "-noinput",
        }
        command = ("/bin/sh", "-c", _WITH_PORT_MAPPER, "rabbitmq", _find_server() or "rabbitmq-server")
        return Launch(command, environment, stop_signal="TERM" if site.lasting else "KILL")

    def answers(self, site: Site) -> bool:
        """It opens the AMQP conversation (Connection.Start is a method frame of channel 0)."""
        return first_bytes(site.port, b"AMQP\x00\x00\x09\x01").startswith(b"\x01\x00\x00")

    def url(self, site: Site) -> str:
        """The first virtual host; guest may come by loopback only."""
        return f"amqp://guest:guest@127.0.0.1:{site.port}//"

    def variables(self, url: str) -> dict[str, str]:
        """Celery's broker."""
        return {"CELERY_BROKER_URL": url}


def _find_server() -> Path | None:
    folders = [Path(found) for place in _PLACES for found in sorted(Path("/").glob(place.removeprefix("/")))]
    return next((folder / "rabbitmq-server" for folder in folders if (folder / "rabbitmq-server").exists()), None)
