"""PostgreSQL, from the machine's own package: a cluster of our own."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import ClassVar, Final

import psycopg

from engines.engine import Engine, Launch, Site
from engines.errors import EngineFailedError, EngineMissingError
from engines.logs import next_step

# Data of tests may go with the power; waiting for the disk would only cost time.
FAST_AND_FORGETFUL: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")
_ICU_SINCE: Final = 15


def find_postgres() -> Path | None:
    """Return the folder of the newest PostgreSQL that has both ``initdb`` and ``postgres``."""
    folders = [Path(found).resolve().parent for name in ("initdb", "postgres") if (found := shutil.which(name))]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_major, reverse=True)
    return next((bin_ for bin_ in folders if (bin_ / "initdb").exists() and (bin_ / "postgres").exists()), None)


def _major(folder: Path) -> int:
    return int(match.group()) if (match := re.match(r"\d+", folder.parent.name)) else 0


class Postgres(Engine):
    """One server with the account ``postgres`` and no password, on loopback."""

    name: ClassVar = "postgres"
    product: ClassVar = "PostgreSQL"
    serves: ClassVar = "operational database and SQL adapters"
    development_port: ClassVar = 25432

    def __init__(self) -> None:
        self.bin_dir = find_postgres()

    def why_missing(self) -> str | None:
        """Its programs."""
        if self.bin_dir is None:
            return "no PostgreSQL on this machine; install the package postgresql"
        return None

    def version(self) -> str:
        """As the server says it, for example ``15.14``."""
        said = subprocess.run([self._program("postgres"), "--version"], check=True, capture_output=True, text=True)
        return said.stdout.split()[2]

    @property
    def account(self) -> str | None:
        """PostgreSQL refuses to run as root; Debian's package brings an account for it."""
        return "postgres" if os.geteuid() == 0 else None

    def _program(self, name: str) -> Path:
        if self.bin_dir is None:
            raise EngineMissingError(self.product, "it is not on this machine.", "install the package postgresql.")
        return self.bin_dir / name

    def prepare(self, site: Site) -> None:
        """Make the cluster, if its folder holds none."""
        if (site.data / "PG_VERSION").exists():
            return
        if self.account:
            shutil.chown(site.home, self.account)
        options = ["-D", str(site.data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
        made = subprocess.run(
            [self._program("initdb"), *options, *self._locale_options()],
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
            user=self.account,
        )
        if made.returncode:
            problem = f"initdb failed in {site.home}: {made.stderr.strip()}"
            raise EngineFailedError(self.title, problem, next_step(made.stderr))

    def _locale_options(self) -> list[str]:
        # A dictionary's order, not code points: it shows queries that forgot to say which order they promise.
        if int(self.version().split(".")[0]) >= _ICU_SINCE:
            return ["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"]
        return ["--locale=C.UTF-8"]

    def launch(self, site: Site) -> Launch:
        """INT is its fast shutdown: it does not wait for clients."""
        settings = [
            f"port={site.port}",
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=200",
            *(() if site.lasting else FAST_AND_FORGETFUL),
        ]
        options = [word for setting in settings for word in ("-c", setting)]
        return Launch((self._program("postgres"), "-D", site.data, *options), stop_signal="INT")

    def answers(self, site: Site) -> bool:
        """It takes a connection."""
        try:
            psycopg.connect(self.url(site), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def url(self, site: Site) -> str:
        """The database that every cluster has."""
        return f"postgres://postgres@127.0.0.1:{site.port}/postgres"

    def variables(self, url: str) -> dict[str, str]:
        """Django's database."""
        return {"DATABASE_URL": url}
