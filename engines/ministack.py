"""ministack: EventBridge, SQS, Lambda, S3 and Secrets Manager in one process, in a virtual environment of its own."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import ClassVar, Final

from engines import downloads, places
from engines.engine import Engine, Launch, Site
from engines.errors import EngineMissingError
from engines.health import http_answer

RELEASE: Final = "1.5.33"
FETCH_TIMEOUT_SECONDS: Final = 900
# boto3 derives the names of these variables from its services' ids.
SERVICES: Final = {
    "events": "AWS_ENDPOINT_URL_EVENTBRIDGE",
    "sqs": "AWS_ENDPOINT_URL_SQS",
    "lambda": "AWS_ENDPOINT_URL_LAMBDA",
    "s3": "AWS_ENDPOINT_URL_S3",
    "secretsmanager": "AWS_ENDPOINT_URL_SECRETS_MANAGER",
}
_LOCK = places.PROJECT / "requirements" / "ministack.txt"


class Ministack(Engine):
    """It pins a botocore of its own, so it never shares an environment with the service."""

    name: ClassVar = "aws"
    product: ClassVar = "ministack"
    serves: ClassVar = "broadcaster (eventbridge), SQS, Lambda, Secrets Manager, S3"
    development_port: ClassVar = 24566

    @property
    def _key(self) -> str:
        # What pip chose fits this Python.
        return downloads.key(f"ministack-{RELEASE}-{sys.implementation.cache_tag}", _LOCK)

    def why_missing(self) -> str | None:
        """Python brings all it needs, except on a Debian without python3-venv."""
        if downloads.find(self._key) is None and importlib.util.find_spec("ensurepip") is None:
            return "Python's module venv is not complete; install the package python3-venv"
        return None

    def version(self) -> str:
        """As the lock file names it."""
        return RELEASE

    def fetch(self) -> None:
        """Make the virtual environment, with the machine's settings of pip."""
        downloads.fetch(self._key, self._make_environment)

    def _make_environment(self, place: Path) -> None:
        self._run(sys.executable, "-m", "venv", str(place))
        pip = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        self._run(*pip, "--require-hashes", "--requirement", str(_LOCK))

    def _run(self, *command: str) -> None:
        said = subprocess.run(command, check=False, capture_output=True, text=True, timeout=FETCH_TIMEOUT_SECONDS)
        if said.returncode:
            problem = f"it could not be installed. {said.stderr.strip()[-500:]}"
            raise EngineMissingError(self.product, problem, "make sure that the package index can be reached by pip.")

    def prepare(self, site: Site) -> None:
        """Make the data folder."""
        site.data.mkdir(exist_ok=True)

    def launch(self, site: Site) -> Launch:
        """Without a network of its own accord: functions run as processes of this machine."""
        environment = {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(site.port),
            "SERVICES": ",".join(SERVICES),
            "LAMBDA_EXECUTOR": "local",
            "PERSIST_STATE": "1" if site.lasting else "0",
            "STATE_DIR": str(site.data / "state"),
            "S3_DATA_DIR": str(site.data / "s3"),
            "S3_PERSIST": "1" if site.lasting else "0",
        }
        place = downloads.find(self._key)
        if place is None:
            raise EngineMissingError(self.product, "it is not fetched.", "python -m engines fetch")
        # By module: the environment's scripts know the place where it was made, which is not where it is.
        return Launch((place / "bin" / "python", "-m", "ministack"), environment)

    def answers(self, site: Site) -> bool:
        """By its own health page."""
        return http_answer(site.port, "/_ministack/health")[0] == 200  # noqa: PLR2004

    def url(self, site: Site) -> str:
        """One address for all services."""
        return f"http://127.0.0.1:{site.port}"

    def variables(self, url: str) -> dict[str, str]:
        """boto3's own variable of each service, and the adapter's name."""
        return {"BROADCASTER": "eventbridge"} | dict.fromkeys(SERVICES.values(), url)
