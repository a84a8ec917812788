"""Salesforce's clock, as far as its answers tell it."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from threading import Lock

from crm_events.ports.crm_source import SourceUnavailableError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Clocks drift and are put right; what an answer told is forgotten after one to two of these.
_BUCKET_SECONDS = 300.0


class SalesforceClock:
    """Say how late it surely was in Salesforce at a moment of ours.

    An answer's Date header is Salesforce's time without the fraction of a second, set at some moment before we have
    the answer. So Salesforce's clock is ahead of our monotonic one by ``Date - moment of receipt`` or more, and the
    greatest such difference of late is the tightest bound that is sure. It holds for moments before the answer too,
    so that the first call needs no other before it.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = Lock()
        self._bucket = -math.inf
        self._lead = -math.inf
        self._earlier_lead = -math.inf

    def mark(self) -> float:
        """Return this moment, to be asked about once an answer came."""
        return self._monotonic()

    def observe(self, date: str | None) -> None:
        """Learn from the Date header of an answer that has just been received."""
        received = self._monotonic()
        try:
            told = parsedate_to_datetime(date or "")
        except ValueError:
            return
        lead = told.replace(tzinfo=UTC).timestamp() - received  # the header knows no zone but GMT
        with self._lock:
            if received - self._bucket >= _BUCKET_SECONDS:
                is_next = received - self._bucket < 2 * _BUCKET_SECONDS
                self._earlier_lead = self._lead if is_next else -math.inf
                self._bucket, self._lead = received, -math.inf
            self._lead = max(self._lead, lead)

    def not_later_than(self, mark: float) -> datetime:
        """Return a time of Salesforce's clock that was reached at the marked moment, at most a second or so before.

        :raises SourceUnavailableError: no answer had a Date header.
        """
        with self._lock:
            lead = max(self._lead, self._earlier_lead)
        if lead == -math.inf:
            raise SourceUnavailableError(
                "NO_DATE",
                "Salesforce's answers come without a Date header, so nobody knows how old their rows are. Something "
                "between this service and Salesforce removes it",
            )
        return _EPOCH + timedelta(milliseconds=math.floor((mark + lead) * 1000))
