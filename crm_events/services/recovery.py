"""What a process does first that knows itself to be the only worker: free what dead ones had taken."""

from datetime import datetime

from crm_events.services.inbox import release_claims
from crm_events.services.leases import release_leases


def release_everything(now: datetime) -> int:
    """Free claimed deliveries and leases, so that they need not wait for their time; return how many deliveries.

    Runs are left alone: a command beside the service may be working on one, and says so by its heartbeat.
    """
    release_leases(now)
    return release_claims()
