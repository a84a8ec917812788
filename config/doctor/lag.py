"""Whether changes come through: what waits, how long, and what nobody could handle."""

from datetime import datetime, timedelta

from config.console.start import Figures
from config.doctor.diagnosis import Diagnosis, amber, green, red
from config.templatetags.console import duration
from crm_events import selectors
from crm_events.backends import event_store
from crm_events.ports.event_store import StoreStatistics

# Most changes are readable within a second or two; sweeps run every five.
_LONG_SECONDS = 60
_TOO_LONG_SECONDS = 600
# A run's worker says at least this often that it lives, and a sweep starts a waiting run within seconds.
RUN_PATIENCE = timedelta(minutes=1)


def examine_backlog(now: datetime) -> list[Diagnosis]:
    """Say how long the oldest change waits, and which records wait for somebody's decision.

    :raises CrmError: the event store does not answer.
    """
    store = event_store().statistics()
    waiting, oldest = selectors.unfinished_deliveries()
    figures = Figures(store, waiting, oldest, sum(selectors.dead_letter_counts().values()), now)
    return [waiting_changes(figures), deliveries(figures), dead_letters(figures), *records(store)]


def waiting_changes(figures: Figures) -> Diagnosis:
    """Judge the age of the oldest change that is not readable or not sent."""
    seconds = figures.lag_seconds
    pending = figures.store.pending_streams if figures.store else 0
    fact = f"{pending:,} records pending, the oldest change for {duration(seconds)}"
    if seconds <= _LONG_SECONDS:
        return green("lag", fact if pending or seconds else "no change waits")
    step = "see whether workers run, and whether read model and broadcaster answer."
    return (red if seconds > _TOO_LONG_SECONDS else amber)("lag", fact, step)


def deliveries(figures: Figures) -> Diagnosis:
    """Judge the accepted deliveries that are not in the log yet."""
    if not figures.waiting_deliveries or figures.oldest_delivery is None:
        return green("deliveries", "all are in the log")
    seconds = (figures.now - figures.oldest_delivery).total_seconds()
    fact = f"{figures.waiting_deliveries:,} not in the log yet, the oldest for {duration(seconds)}"
    if seconds <= _LONG_SECONDS:
        return green("deliveries", fact)
    step = "see whether workers of the lane “ingest” run, and whether the event store answers."
    return (red if seconds > _TOO_LONG_SECONDS else amber)("deliveries", fact, step)


def dead_letters(figures: Figures) -> Diagnosis:
    """Judge what could not be handled."""
    if not figures.open_letters:
        return green("dead letters", "none is open")
    return amber("dead letters", f"{figures.open_letters:,} open", "open them in the console: retry, or discard.")


def records(store: StoreStatistics) -> list[Diagnosis]:
    """Judge the records that are parked or must be read again."""
    lines = []
    if store.blocked_streams:
        text = f"{store.blocked_streams:,} parked: no change of theirs gets through"
        lines.append(amber("records", text, "see the dead letter of each."))
    if store.dirty_streams:
        text = f"{store.dirty_streams:,} hold a value that only Salesforce knows"
        lines.append(amber("records", text, "let them be read again from Salesforce."))
    return lines or [green("records", "none is parked, every value is known")]


def examine_runs(now: datetime) -> list[Diagnosis]:
    """Say which long pieces of work wait for a worker."""
    stale = selectors.runs_without_worker(now - RUN_PATIENCE)
    if not stale:
        return [green("runs", "none waits for a worker")]
    text = f"{stale} without a worker for more than {duration(RUN_PATIENCE.total_seconds())}"
    return [amber("runs", text, "see whether workers of the lane “bulk” run; a paused run is not among these.")]
