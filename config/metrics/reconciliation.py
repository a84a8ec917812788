"""Figures of runs, checks, feeds and Salesforce's API calls."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from crm_events import selectors
from crm_events.backends import api_budget, drift_report
from crm_events.services.reconciliation.feeds import KEPT_BY_SALESFORCE, FeedState, feeds

# How long a run that ended is still counted: long enough for an alert to see that it failed.
ENDED_WITHIN = timedelta(days=1)


def run_figures(now: datetime) -> Iterator[Metric]:
    """Yield how many runs there are, and how long they wait for somebody to work them."""
    runs = GaugeMetricFamily(
        "crm_runs", "Runs that have not ended, or ended within the last day.", labels=["kind", "status"]
    )
    for (kind, status), count in selectors.runs_by_status(now - ENDED_WITHIN).items():
        runs.add_metric([kind, status], count)
    yield runs
    waiting = GaugeMetricFamily(
        "crm_runs_waiting_seconds",
        "How long the oldest run that could be worked waits; resting and paused ones do not wait.",
        labels=["kind"],
    )
    for kind, since in selectors.waiting_since(now).items():
        waiting.add_metric([kind], _seconds(now - since))
    yield waiting


def check_figures(now: datetime) -> Iterator[Metric]:
    """Yield when each check came to its end last, and what its last run of each object found."""
    age = GaugeMetricFamily(
        "crm_check_age_seconds", "Time since a run of the check came to its end.", labels=["check", "object"]
    )
    last = selectors.last_checks()
    for one in last:
        age.add_metric([one.check.value, one.target], _seconds(now - one.finished_at))
    yield age
    drift = GaugeMetricFamily(
        "crm_drift", "Differences that the last run of the check found, over all objects.", labels=["check", "cause"]
    )
    found = drift_report().counts([one.run_id for one in last])
    # A check without any difference says so, or nobody could tell it from one that never ran.
    for check in sorted({one.check for one in last}):
        drift.add_metric([check.value, "none"], 0)
    for (check, cause), count in found.items():
        drift.add_metric([check.value, cause.value], count)
    yield drift


def feed_figures(now: datetime) -> Iterator[Metric]:
    """Yield how the feed of each object stands: state, last event, and what is left of Salesforce's 72 hours."""
    state = GaugeMetricFamily(
        "crm_feed_state", "1 for the state of the feed, 0 for the others.", labels=["object", "state"]
    )
    last = GaugeMetricFamily(
        "crm_feed_last_event_seconds", "Time since an event of the object came.", labels=["object"]
    )
    left = GaugeMetricFamily(
        "crm_feed_recovery_seconds_left",
        "Time until Salesforce forgets missed events; all of it while none is missed, 0 or less when they are lost.",
        labels=["object"],
    )
    for feed in feeds(now):
        for each in FeedState:
            state.add_metric([feed.entity_name, each.value], int(each is feed.state))
        last.add_metric([feed.entity_name], _seconds(now - feed.last_arrival))
        time_left = KEPT_BY_SALESFORCE if feed.time_left is None else feed.time_left
        left.add_metric([feed.entity_name], time_left.total_seconds())
    yield from (state, last, left)


def call_figures(now: datetime) -> Iterator[Metric]:
    """Yield how many of the org's API calls are used, if Salesforce ever told."""
    told = api_budget().usage()
    if told is None:
        return
    usage, told_at = told
    yield GaugeMetricFamily(
        "crm_salesforce_api_calls_used", "Calls that the org made in 24 hours, by Salesforce.", value=usage.used
    )
    yield GaugeMetricFamily("crm_salesforce_api_calls_limit", "Calls that the org has in 24 hours.", value=usage.limit)
    yield GaugeMetricFamily(
        "crm_salesforce_api_calls_told_seconds", "Time since Salesforce told both.", value=_seconds(now - told_at)
    )


def _seconds(span: timedelta) -> float:
    return max(span.total_seconds(), 0.0)
