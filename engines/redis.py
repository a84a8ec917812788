"""Redis, from the machine's own package."""

import re
import shutil
import subprocess
from typing import ClassVar

from engines.engine import Engine, Launch, Site
from engines.health import first_bytes


class Redis(Engine):
    """One server without a password, on loopback."""

    name: ClassVar = "redis"
    product: ClassVar = "Redis"
    serves: ClassVar = "Celery broker (redis)"
    development_port: ClassVar = 26379

    def why_missing(self) -> str | None:
        """Its program."""
        if shutil.which("redis-server") is None:
            return "no redis-server on this machine; install the package redis-server"
        return None

    def version(self) -> str:
        """As the server says it."""
        said = subprocess.run(["redis-server", "--version"], check=True, capture_output=True, text=True).stdout
        match = re.search(r"v=(\S+)", said)
        return match.group(1) if match else ""

    def prepare(self, site: Site) -> None:
        """Make the data folder."""
        site.data.mkdir(exist_ok=True)

    def launch(self, site: Site) -> Launch:
        """Tasks survive a restart only where the data lasts."""
        keeping = ("yes", "3600 1") if site.lasting else ("no", "")
        options = {"bind": "127.0.0.1", "port": str(site.port), "dir": str(site.data)}
        options |= dict(zip(("appendonly", "save"), keeping, strict=True))
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        return Launch(("redis-server", *words), stop_signal="TERM" if site.lasting else "KILL")

    def answers(self, site: Site) -> bool:
        """It says PONG, which it does not while it loads its data."""
        return first_bytes(site.port, b"PING\r\n").startswith(b"+PONG")

    def url(self, site: Site) -> str:
        """The first of its databases."""
        return f"redis://127.0.0.1:{site.port}/0"

    def variables(self, url: str) -> dict[str, str]:
        """Celery's broker."""
        return {"CELERY_BROKER_URL": url}
