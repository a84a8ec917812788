"""Whether workers and beat live: somebody takes from each lane, and the sweeps come round."""

import fcntl
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from config.brokers import takes_remote_control
from config.celery import app
from config.doctor.diagnosis import Diagnosis, amber, green, red
from config.doctor.setup import Setup
from config.templatetags.console import duration
from crm_events import selectors

# Beat starts this sweep every five seconds; a worker of the lane "project" takes its lease and gives it back.
SWEEP = "sweep_pending"
_LATE_SECONDS = 60
_GONE_SECONDS = 300
_ANSWER_SECONDS = 1.5


def examine_sweep(setup: Setup, now: datetime) -> list[Diagnosis]:
    """Say when beat's sweep was last seen at work, which takes beat, broker and a worker alike."""
    if setup.is_embedded and not is_serving(setup.settings.DATA_DIR):
        return [amber("sweeps", "the service does not run", "start it: make run (manage.py serve).")]
    return [judge_sweep(selectors.last_lease(SWEEP), now)]


def judge_sweep(last: datetime | None, now: datetime) -> Diagnosis:
    """Judge the end of the sweep's last lease; one that still holds lies in the future."""
    step = "start beat and a worker of the lane “project”, and see their logs."
    if last is None:
        return red("sweeps", "none has ever run here", step)
    seconds = max((now - last).total_seconds(), 0.0)
    if seconds <= _LATE_SECONDS:
        return green("sweeps", f"beat and workers sweep, the last time {duration(seconds)} ago")
    text = f"the last one was {duration(seconds)} ago, and one is due every 5 seconds"
    return (red if seconds > _GONE_SECONDS else amber)("sweeps", text, step)


def is_serving(data_dir: Path) -> bool:
    """Say whether ``manage.py serve`` works in this folder: it holds a lock as long as it lives."""
    try:
        with (data_dir / "serve.lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def examine_lanes(setup: Setup) -> list[Diagnosis]:
    """Ask all workers which lanes they take from."""
    if setup.is_embedded:
        return []
    if not takes_remote_control(setup.settings.CELERY_BROKER_URL):
        return [green("workers", f"not asked: {setup.broker} carries no questions to workers; see the sweeps")]
    answers = app.control.inspect(timeout=_ANSWER_SECONDS).active_queues() or {}
    return judge_lanes({worker: [queue["name"] for queue in queues] for worker, queues in answers.items()}, setup)


def judge_lanes(workers: Mapping[str, Sequence[str]], setup: Setup) -> list[Diagnosis]:
    """Say for each lane how many workers take from it."""
    if not workers:
        return [red("workers", "none answers", "start workers (celery -A config worker), and see the broker.")]
    return [_lane(lane, sum(lane in queues for queues in workers.values())) for lane in setup.settings.LANES]


def _lane(lane: str, workers: int) -> Diagnosis:
    if workers:
        return green(f"lane {lane}", f"{workers} {'worker takes' if workers == 1 else 'workers take'} from it")
    return red(f"lane {lane}", "no worker takes from it", f"start one with --queues {lane}.")
