"""Salesforce as a run may use it: each call waits for its share of the org's calls, and errors end in plain words."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from crm_events.ports.api_budget import ApiBudget, Purpose
from crm_events.ports.crm_source import CrmSource, SourceAccessError, SourceLimitError, SourceRefusedError
from crm_events.running.runner import RunFailedError, RunSession

T = TypeVar("T")
# What is shorter is waited for on the spot; for what is longer, the run lets others go first.
_LONGEST_PAUSE_SECONDS = 2.0
_LIMIT_REST = timedelta(hours=1)


class CallRefusedError(RunFailedError):
    """Salesforce refuses this very call; a run that has other things to do may go on with them."""

    def __init__(self, error: SourceRefusedError) -> None:
        super().__init__(f"Salesforce refuses the call: {error}. Next: correct the request.")
        self.error = error

    def __reduce__(self) -> tuple[type["CallRefusedError"], tuple[SourceRefusedError]]:
        return type(self), (self.error,)


@dataclass(frozen=True, slots=True)
class SourceAccess:
    """Salesforce, the budget of its calls, and how to wait for a moment."""

    source: CrmSource
    budget: ApiBudget
    pause: Callable[[float], None]


class SourceCalls:
    """The calls of one run for one purpose."""

    def __init__(self, access: SourceAccess, purpose: Purpose, session: RunSession) -> None:
        self.source = access.source
        self._access = access
        self._purpose = purpose
        self._session = session

    @property
    def origin(self) -> str:
        """Return the name that events of this run carry in place of a delivery."""
        return f"run:{self._session.run.id}"

    @property
    def now(self) -> datetime:
        """Return the present time."""
        return self._session.now

    def make(self, call: Callable[[], T]) -> T:
        """Make a call of the source when it may be made.

        :raises RunReleasedError: not for some time; the run rests, and its log says why.
        :raises CallRefusedError: Salesforce refuses this very call.
        :raises RunFailedError: Salesforce does not let us in.
        :raises SourceUnavailableError: Salesforce does not answer.
        :raises CursorExpiredError: the read must begin again.
        """
        while True:
            self._await_share()
            self._session.count("calls")
            try:
                return self._call(call)
            except SourceLimitError as error:
                words = f"Salesforce takes no more calls today: {error}. The run looks again in an hour, by itself."
                self._session.rest(self._session.now + _LIMIT_REST, words)

    def _call(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except SourceAccessError as error:
            raise RunFailedError(
                f"Salesforce does not let us in: {error}. Next: check the SALESFORCE_ settings with"
                " “manage.py doctor”, then start it again."
            ) from error
        except SourceRefusedError as error:
            raise CallRefusedError(error) from error

    def _await_share(self) -> None:
        allowance = self._access.budget.allow(self._purpose, self._session.now)
        while allowance.wait_until is not None:
            self._session.rest(allowance.wait_until, allowance.reason)
            allowance = self._access.budget.allow(self._purpose, self._session.now)
        if allowance.delay_seconds > _LONGEST_PAUSE_SECONDS:
            self._session.rest(self._session.now + timedelta(seconds=allowance.delay_seconds), allowance.reason)
        elif allowance.delay_seconds:
            self._access.pause(allowance.delay_seconds)
