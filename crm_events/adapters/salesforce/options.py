"""What it takes to read an org: where it is, who reads it, and how patiently."""

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

_VERSION = re.compile(r"[1-9][0-9]\.0")
_SALESFORCE = ".salesforce.com"
# The library makes addresses of https:// and a part before .salesforce.com; what it makes is sent to ``url`` instead.
_PLACEHOLDER = "elsewhere.my"
_BOTH_WAYS = (
    "Both SALESFORCE_CLIENT_SECRET and a username or private key are set; keep the secret alone (client credentials), "
    "or SALESFORCE_USERNAME with a private key (JWT bearer)."
)
_NO_WAY = (
    "No credentials are set; set SALESFORCE_USERNAME and SALESFORCE_PRIVATE_KEY_FILE (JWT bearer), or "
    "SALESFORCE_CLIENT_SECRET (client credentials)."
)


@dataclass(frozen=True, slots=True)
class Options:
    """The settings of a source, as they come from the environment."""

    url: str = ""
    client_id: str = ""
    client_secret: str = ""
    username: str = ""
    private_key: str = ""
    private_key_file: str = ""
    api_version: str = "67.0"
    connect_timeout: float = 10.0
    read_timeout: float = 120.0
    session_minutes: float = 60.0
    margin_seconds: float = 2.0

    @property
    def base_url(self) -> str:
        """Return scheme and host, without a slash at the end."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def domain(self) -> str:
        """Return what the library wants of the host: what stands before ``.salesforce.com``."""
        host = urlsplit(self.url).netloc
        return host.removesuffix(_SALESFORCE) if host.endswith(_SALESFORCE) else _PLACEHOLDER

    @property
    def library_url(self) -> str:
        """Return scheme and host as the library writes them."""
        return f"https://{self.domain}{_SALESFORCE}"

    @property
    def is_sandbox(self) -> bool:
        """Say whether sessions come from test.salesforce.com, which the assertion of a JWT has to name."""
        return "--" in self.domain or ".sandbox." in f".{self.domain}." or ".scratch." in f".{self.domain}."

    @property
    def margin(self) -> timedelta:
        """Return by how much a read counts as begun earlier than Salesforce's clock says."""
        return timedelta(seconds=self.margin_seconds)

    def problems(self) -> list[str]:
        """Return what is wrong, in plain words that name the variable; nothing connects."""
        return [*self._problems_of_url(), *self._problems_of_login(), *self._problems_of_numbers()]

    def _problems_of_url(self) -> list[str]:
        example = "such as https://acme.my.salesforce.com"
        if not self.url:
            return [f"SALESFORCE_URL is not set; it wants the org's My Domain, {example}."]
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
            return [f"SALESFORCE_URL is “{self.url}”; it wants https:// and a host, {example}."]
        if not parts.hostname.endswith(_SALESFORCE):
            return []
        if parts.scheme == "http":
            return ["SALESFORCE_URL begins with http://, which would show credentials to everybody; write https://."]
        if self.domain in ("login", "test"):
            return [
                f"SALESFORCE_URL is {self.url}, where no records are read; it wants the org's My Domain, {example}."
            ]
        return []

    def _problems_of_login(self) -> list[str]:
        if not self.client_id:
            return ["SALESFORCE_CLIENT_ID is not set; it wants the consumer key of the connected app."]
        has_key = bool(self.private_key or self.private_key_file)
        if self.client_secret and (has_key or self.username):
            return [_BOTH_WAYS]
        if self.client_secret:
            return []
        if not self.username or not has_key:
            return [_NO_WAY]
        return self._problems_of_key()

    def _problems_of_key(self) -> list[str]:
        if self.private_key and self.private_key_file:
            return ["Both SALESFORCE_PRIVATE_KEY and SALESFORCE_PRIVATE_KEY_FILE are set; keep one of them."]
        if self.private_key_file and not Path(self.private_key_file).is_file():
            return [f"SALESFORCE_PRIVATE_KEY_FILE names {self.private_key_file}, which is no file here."]
        return []

    def _problems_of_numbers(self) -> list[str]:
        problems = []
        if not _VERSION.fullmatch(self.api_version):
            problems.append(f"SALESFORCE_API_VERSION is “{self.api_version}”; it wants a version such as 67.0.")
        if min(self.connect_timeout, self.read_timeout, self.session_minutes) <= 0 or self.margin_seconds < 0:
            problems.append(
                "SALESFORCE_CONNECT_TIMEOUT, SALESFORCE_READ_TIMEOUT and SALESFORCE_SESSION_MINUTES want more than 0, "
                "and SALESFORCE_CLOCK_MARGIN at least 0."
            )
        return problems
