"""Runs in the terminal: worked in the foreground, with a bar, and safe to interrupt."""

import getpass
import time
from collections.abc import Callable
from datetime import UTC, datetime

from django.core.management.base import CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from crm_events.backends import runs
from crm_events.ports.runs import RunRequest, RunStatus, RunView
from crm_events.running.runner import Runner


def current_user() -> str:
    """Return the name of whoever sits at the terminal."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in some containers
        return "terminal"


def start_or_continue(request: RunRequest, write: Callable[[str], None]) -> RunView:
    """Claim the unfinished run of this kind and target, or a new one.

    :raises CommandError: somebody else works on it right now.
    """
    now = datetime.now(UTC)
    found = runs().find_unfinished(request.kind, request.target)
    if found is not None and dict(found.parameters) == dict(request.parameters):
        write(f"Continuing run {found.id}, which was not finished.")
    else:
        found = runs().create(request, now)
    claimed = runs().claim(found.id, now, resume=True)
    if claimed is None:
        raise CommandError(
            f"Run {found.id} ({request.kind} {request.target}) is being worked on right now."
            " Next: wait for it, or, if its process died, try again in half a minute."
        )
    return claimed


def work_with_bar(runner: Runner, run: RunView, console: Console, counted: str = "streams") -> RunView:
    """Work a claimed run to its end, showing a bar that ``counted`` moves; Ctrl-C pauses it.

    :raises CommandError: the run was interrupted, cancelled or failed.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("records"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(f"{run.kind.capitalize()} {run.target or 'everything'}", total=run.total)
        shown = len(run.log)

        def show(view: RunView) -> None:
            nonlocal shown
            bar.update(task, total=view.total, completed=view.counts.get(counted, 0))
            for line in view.log[shown:]:
                bar.console.print(line, markup=False, highlight=False)
            shown = len(view.log)

        try:
            ended = runner.work(run, show, wait=time.sleep)
        except KeyboardInterrupt:
            raise CommandError(
                f"Paused. What is done is kept. Next: run the same command again to continue run {run.id}."
            ) from None
    if ended.status is RunStatus.DONE:
        return ended
    raise CommandError(f"Run {ended.id} ended as {ended.status.value}. {ended.error}".strip())


def print_counts(ended: RunView, words: dict[str, str], console: Console) -> None:
    """Print what a run did, one line for each count that has words."""
    for name, text in words.items():
        if name in ended.counts:
            console.print(f"{ended.counts[name]:>10,}  {text}", highlight=False)
