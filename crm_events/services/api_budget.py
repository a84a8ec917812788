"""The budget of Salesforce API calls in the operational database, shared by all processes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock

from django.db.models import F, Q

from crm_events.models import ApiUse
from crm_events.ports.api_budget import Allowance, ApiBudget, Purpose
from crm_events.ports.crm_source import ApiUsage
from crm_events.services.api_policy import LOOK_AGAIN, Share, decide

_ROW = "salesforce"
# What others did is looked at so often; what this process did is written so often, or after so many calls.
_READ_EVERY = timedelta(seconds=1)
_WRITE_EVERY = timedelta(seconds=5)
_WRITE_CALLS = 20
# A use that moved by this part of the limit is worth telling the others at once.
_GREAT_STEP = 0.01
# Who looks again while there should be no calls left has this long to bring the answer, before another one does.
_LOOK_PAUSE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Known:
    """What Salesforce told last, and how many calls were allowed since."""

    usage: ApiUsage
    told_at: datetime
    since: int = 0

    @property
    def estimate(self) -> ApiUsage:
        return replace(self.usage, used=self.usage.used + self.since)


class OperationalApiBudget(ApiBudget):
    """Keep the use as one row.

    Every answer of Salesforce tells the use anew, and calls between two tellings are counted here. A process writes
    its own and reads the others' every few seconds or few calls, not at every call.

    ``shares`` holds two percentages by the name of each purpose: where its work slows down and where it stops.
    """

    def __init__(self, shares: Mapping[str, list[float]]) -> None:
        self._shares = {purpose: Share.of_percentages(shares[purpose.name.lower()]) for purpose in Purpose}
        self._lock = Lock()
        self._known: _Known | None = None
        self._written: ApiUsage | None = None
        self._unwritten_calls = 0
        self._read_at: datetime | None = None
        self._written_at: datetime | None = None

    def allow(self, purpose: Purpose, now: datetime) -> Allowance:
        """Say whether a call may be made, and count it if so; see the port.

        Makes one query at most, and a second one only where calls are used up and it is time to look again.
        """
        with self._lock:
            self._exchange(now)
            if self._known is None:
                return Allowance()
            allowance = decide(purpose, self._shares[purpose], self._known.estimate, self._known.told_at)
            if allowance.wait_until is not None and allowance.wait_until <= now:
                allowance = _look_again(now, allowance)
            if allowance.wait_until is None:
                self._count()
            return allowance

    def note(self, usage: ApiUsage, now: datetime) -> None:
        """Remember the use, and tell the others now and then; see the port."""
        with self._lock:
            if self._known is not None and now <= self._known.told_at:
                return
            self._known = _Known(usage, now)
            self._unwritten_calls = 0
            if self._is_due(self._written_at, _WRITE_EVERY, now) or self._is_great_step(usage):
                self._write_usage(usage, now)

    def usage(self) -> tuple[ApiUsage, datetime] | None:
        """Return the last known use; see the port."""
        with self._lock:
            self._read()
            return None if self._known is None else (self._known.usage, self._known.told_at)

    def _exchange(self, now: datetime) -> None:
        """Write this process's calls or read the others', whatever is due; one query at most."""
        full = self._unwritten_calls >= _WRITE_CALLS
        if full or (self._unwritten_calls and self._is_due(self._written_at, _WRITE_EVERY, now)):
            self._write_calls(now)
        elif self._is_due(self._read_at, _READ_EVERY, now):
            self._read()
            self._read_at = now

    @staticmethod
    def _is_due(last: datetime | None, interval: timedelta, now: datetime) -> bool:
        # A clock that was put back must not keep the rows from being read until it has caught up.
        return last is None or not timedelta(0) <= now - last < interval

    def _is_great_step(self, usage: ApiUsage) -> bool:
        written = self._written
        return written is None or abs(usage.used - written.used) >= _GREAT_STEP * usage.limit

    def _count(self) -> None:
        if self._known is not None:
            self._known = replace(self._known, since=self._known.since + 1)
        self._unwritten_calls += 1

    def _read(self) -> None:
        row = ApiUse.objects.filter(pk=_ROW).first()
        if row is None or (self._known is not None and row.told_at < self._known.told_at):
            return
        since = row.calls_since + self._unwritten_calls
        self._known = _Known(ApiUsage(row.used, row.limit), row.told_at, since)

    def _write_calls(self, now: datetime) -> None:
        ApiUse.objects.filter(pk=_ROW).update(calls_since=F("calls_since") + self._unwritten_calls)
        self._unwritten_calls = 0
        self._written_at = now

    def _write_usage(self, usage: ApiUsage, now: datetime) -> None:
        told = {"used": usage.used, "limit": usage.limit, "told_at": now, "calls_since": 0}
        if not ApiUse.objects.filter(pk=_ROW, told_at__lt=now).update(**told):
            ApiUse.objects.bulk_create([ApiUse(name=_ROW, **told)], ignore_conflicts=True)
        self._written = usage
        self._written_at = now


def _look_again(now: datetime, stopped: Allowance) -> Allowance:
    """Let one process make a call, after an hour in which nobody was told the use."""
    free = Q(looked_at=None) | Q(looked_at__lte=now - _LOOK_PAUSE) | Q(looked_at__gt=now + LOOK_AGAIN)
    if ApiUse.objects.filter(free, pk=_ROW).update(looked_at=now):
        return Allowance(reason="Asking Salesforce how many API calls are left by now")
    return replace(stopped, wait_until=now + _LOOK_PAUSE)
