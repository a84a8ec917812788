"""The process's session in Salesforce: made when first needed, renewed before it ends, shared by all threads."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from threading import Lock
from typing import Any

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from simple_salesforce.api import Salesforce
from simple_salesforce.login import SalesforceLogin

from crm_events.adapters.salesforce.http import SalesforceHttp
from crm_events.adapters.salesforce.options import Options
from crm_events.ports.crm_source import SourceAccessError


class Access:
    """Hand out the library's client with a session that should be good."""

    def __init__(self, options: Options, http: SalesforceHttp, monotonic: Callable[[], float]) -> None:
        self._options = options
        self._http = http
        self._monotonic = monotonic
        self._lock = Lock()
        self._client: Salesforce | None = None
        self._renew_at = 0.0

    def client(self) -> Salesforce:
        """Return the client; log in if there is none, or if its session is about to end.

        :raises SourceAccessError: the private key cannot be used.
        :raises SalesforceAuthenticationFailed: Salesforce refuses.
        """
        with self._lock:
            if self._client is None or self._monotonic() >= self._renew_at:
                self._client = self._log_in()
                self._renew_at = self._monotonic() + self._options.session_minutes * 60
            return self._client

    def forget(self, refused: Salesforce) -> None:
        """Drop a client whose session Salesforce refused, unless another thread has renewed it meanwhile."""
        with self._lock:
            if self._client is refused:
                self._client = None

    def _log_in(self) -> Salesforce:
        token = self._token_by_secret() if self._options.client_secret else self._token_by_key()
        # With a session of its own the library never logs in by itself, so it never does so without end.
        client = Salesforce(
            session_id=token,
            instance_url=self._options.library_url,
            session=self._http,
            version=self._options.api_version,
            parse_float=Decimal,
            object_pairs_hook=None,
        )
        client.headers.pop("X-PrettyPrint", None)  # bigger answers for nobody
        return client

    def _token_by_secret(self) -> str:
        options = self._options
        return self._token(consumer_key=options.client_id, consumer_secret=options.client_secret, domain=options.domain)

    def _token_by_key(self) -> str:
        options = self._options
        return self._token(
            username=options.username,
            consumer_key=options.client_id,
            privatekey=_private_key(options),
            domain="test" if options.is_sandbox else "login",
            instance_url=options.domain,  # the library means what stands before .salesforce.com
        )

    def _token(self, **credentials: Any) -> str:
        try:
            token, _ = SalesforceLogin(session=self._http, **credentials)
        except AttributeError as error:  # how the library takes an answer that holds no session
            raise SourceAccessError(
                "NO_SESSION", "The answer to the login holds no session; check SALESFORCE_URL"
            ) from error
        return str(token)


def _private_key(options: Options) -> str:
    name = "SALESFORCE_PRIVATE_KEY_FILE" if options.private_key_file else "SALESFORCE_PRIVATE_KEY"
    try:
        text = Path(options.private_key_file).read_text() if options.private_key_file else options.private_key
        load_pem_private_key(text.encode(), None)
    except (OSError, ValueError, TypeError) as error:
        detail = f"{name} holds no private key that can be used, in PEM form and without a password: {error}"
        raise SourceAccessError("PRIVATE_KEY", detail) from error
    return text
