"""A call to Salesforce: tried again where that helps, logged in anew once, and failing with our own errors only."""

from collections.abc import Callable
from dataclasses import dataclass
from random import uniform
from typing import Any, TypeVar

import requests
import structlog
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceError,
    SalesforceExpiredSession,
)
from urllib3.exceptions import HTTPError

from crm_events.adapters.salesforce.access import Access
from crm_events.adapters.salesforce.errors import login_error, translate
from crm_events.adapters.salesforce.http import SalesforceHttp
from crm_events.ports.crm_source import CrmSourceError, SourceLimitError, SourceUnavailableError

_T = TypeVar("_T")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a call is tried in all, and how long to wait in between: at most ``first`` seconds, then twice that."""

    attempts: int = 4
    first: float = 0.5
    longest: float = 20.0

    def wait(self, attempt: int, asked: float | None) -> float:
        """Return the seconds to wait after the n-th attempt; ``asked`` is what Salesforce asked for, if it did.

        Many processes that failed together must not come back together, so the wait is anything up to its bound.
        """
        bound = min(self.longest, self.first * 2 ** (attempt - 1))
        return min(self.longest, max(uniform(bound / 2, bound), asked or 0.0))  # noqa: S311  # no secret


class Caller:
    """Make calls with the process's session; ``used_up`` hears of it when there are none left."""

    def __init__(
        self,
        access: Access,
        http: SalesforceHttp,
        patience: Patience,
        sleep: Callable[[float], None],
        used_up: Callable[[], None],
    ) -> None:
        self._access = access
        self._http = http
        self._patience = patience
        self._sleep = sleep
        self._used_up = used_up

    def call(self, send: Callable[[Salesforce], _T]) -> _T:
        """Return what ``send`` returns; it may be called several times.

        :raises CrmSourceError: whatever went wrong.
        """
        may_renew = True
        attempt = 1
        while True:
            try:
                return self._try(send, may_renew=may_renew)
            except _SessionRefusedError:
                may_renew = False
            except SourceUnavailableError as error:
                if attempt >= self._patience.attempts:
                    raise
                seconds = self._patience.wait(attempt, self._http.retry_after)
                _log.warning("Salesforce did not answer; trying again", error=str(error), seconds=round(seconds, 1))
                self._sleep(seconds)
                attempt += 1

    def ask(self, path: str, method: str = "GET", **request: Any) -> Any:
        """Return the value of the JSON that a path of the REST API answers, ``None`` for an empty one.

        :raises CrmSourceError: whatever went wrong.
        """
        return self.call(lambda client: client.restful(path, method=method, **request))

    def _try(self, send: Callable[[Salesforce], _T], *, may_renew: bool) -> _T:
        client = None
        try:
            client = self._access.client()
            return send(client)
        except SalesforceExpiredSession as error:
            if client is not None:
                self._access.forget(client)
            raise (_SessionRefusedError() if may_renew else translate(error)) from error
        except SalesforceError as error:
            own = _own(error)
            if isinstance(own, SourceLimitError):
                self._used_up()
            raise own from error
        except requests.JSONDecodeError as error:
            detail = "What answers is no JSON, so it is not Salesforce; check SALESFORCE_URL and proxies"
            raise SourceUnavailableError("NO_JSON", detail) from error
        except requests.Timeout as error:
            raise SourceUnavailableError("TIMEOUT", f"Salesforce did not answer in time: {error}") from error
        except (requests.RequestException, HTTPError) as error:
            raise SourceUnavailableError("NO_CONNECTION", f"The connection to Salesforce broke: {error}") from error


class _SessionRefusedError(Exception):
    """The session has ended, and this call has not been given a new one yet."""


def _own(error: SalesforceError) -> CrmSourceError:
    return login_error(error) if isinstance(error, SalesforceAuthenticationFailed) else translate(error)
