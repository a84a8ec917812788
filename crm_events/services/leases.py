"""Leases in the operational database."""

import secrets
from datetime import datetime, timedelta

from crm_events.models import Lease
from crm_events.ports.leases import Leases


class OperationalLeases(Leases):
    """Keep leases as rows, taken by a guarded UPDATE."""

    def take(self, name: str, duration: timedelta, now: datetime) -> str | None:
        """Take the right if it is free; see the port."""
        token = secrets.token_hex(16)
        Lease.objects.bulk_create([Lease(name=name, until=now)], ignore_conflicts=True)
        taken = Lease.objects.filter(name=name, until__lte=now).update(holder=token, until=now + duration)
        return token if taken else None

    def give_back(self, name: str, token: str, now: datetime) -> None:
        """Let the right go; see the port."""
        Lease.objects.filter(name=name, holder=token).update(until=now)


def release_leases(now: datetime) -> None:
    """End every lease; only for a process that knows it is the only worker."""
    Lease.objects.filter(until__gt=now).update(until=now)
