"""How far a run is, how fast it goes, and how long it will take, from what its row says."""

from crm_events.ports.runs import RunView

# What the kinds of runs count; a run counts one of them, and a record that is not there is done with, too.
_DONE = ("rows", "streams", "checked", "ids")
_MISSING = "missing"


def done(run: RunView) -> int:
    """Return how many rows or records the run is done with."""
    counted = next((run.counts[name] for name in _DONE if name in run.counts), 0)
    return counted + run.counts.get(_MISSING, 0)


def rate(run: RunView) -> float | None:
    """Return how many a second, over all the time that the run was worked on."""
    finished = done(run)
    return finished / run.worked_seconds if finished and run.worked_seconds else None


def seconds_left(run: RunView) -> float | None:
    """Return how long the rest takes at the rate so far; ``None`` if it ended or nobody knows."""
    speed = rate(run)
    if run.status.has_ended or run.total is None or not speed:
        return None
    return max(0, run.total - done(run)) / speed


def percent(run: RunView) -> int | None:
    """Return how much is done, 0 to 100; ``None`` while nobody knows how much there is."""
    if not run.total:
        return None
    return min(100, done(run) * 100 // run.total)
