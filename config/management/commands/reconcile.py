"""Compare Salesforce, the log and the documents, mend what differs, and say what it was."""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.text import Text

from config.objects import UnknownNameError, salesforce_object
from config.terminal import console_for, print_table
from crm_events.backends import drift_report, event_store, has_crm_source
from crm_events.domain.drift import HARMLESS, OF_SALESFORCE, Check, run_kind
from crm_events.entry import bulk_runner, log_runner
from crm_events.ports.drift_report import DifferenceQuery
from crm_events.ports.runs import RunRequest, RunView
from crm_events.running.checks import check_targets
from crm_events.running.runner import Runner
from crm_events.running.terminal import current_user, start_or_continue, work_with_bar
from crm_projections.entry import runner as read_side_runner

_EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class _Job:
    """One check of one object, or of the whole service."""

    check: Check
    target: str

    @property
    def runner(self) -> Runner:
        if self.check in OF_SALESFORCE:
            return bulk_runner()
        return log_runner() if self.check is Check.UNFINISHED else read_side_runner()


class Command(BaseCommand):
    """Run the checks in the foreground and report their differences by cause.

    Exit status 0: no drift. 1: drift was found (and mended, where it could be). 2: a check could not be done.
    """

    help = (
        "Compare Salesforce, the log and the documents, mend what differs through the log, and say what it was. Exit"
        " status: 0 no drift, 1 drift (even if it is mended now), 2 a check could not be done."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("entity", nargs="?", default="", help="client, Account ...; nothing for all in the log")
        names = [check.value for check in Check]
        parser.add_argument("--check", action="append", choices=names, default=[], help="only this check; repeatable")
        parser.add_argument("--no-repair", action="store_true", help="only report")
        parser.add_argument("--reason", default="", help="why, for the record")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command."""
        console = console_for(self.stdout)
        jobs = _jobs(_targets(options["entity"]), [Check(name) for name in options["check"]] or _possible(console))
        ended = [self._work(job, console, options) for job in jobs]
        done = [run for run in ended if run is not None]
        drift = self._report(done, console)
        if len(done) < len(jobs):
            sys.exit(2)
        if drift:
            sys.exit(1)

    def _work(self, job: _Job, console: Console, options: dict[str, Any]) -> RunView | None:
        parameters = {"repair": not options["no_repair"]}
        request = RunRequest(run_kind(job.check), job.target, parameters, current_user(), options["reason"])
        try:
            return work_with_bar(job.runner, start_or_continue(request, self.stdout.write), console, "checked")
        except CommandError as error:
            self.stderr.write(f"{job.check.value} {job.target}: {error}")
            return None

    def _report(self, done: Sequence[RunView], console: Console) -> bool:
        """Print the differences; say whether there is drift."""
        ids = [run.id for run in done]
        counts = drift_report().counts(ids)
        if not counts:
            console.print(f"{len(done)} checks, no difference.")
            return False
        rows = [(check.value, cause.value, f"{number:,}") for (check, cause), number in counts.items()]
        print_table(console, ("Check", "Cause", "Records"), rows)
        found = drift_report().find(DifferenceQuery(run_ids=ids, limit=_EXAMPLES))
        shown = [one.difference for one in found]
        lines = [(one.subject, one.cause.value, one.remedy.value, Text(one.detail)) for one in shown]
        print_table(console, ("Record", "Cause", "Remedy", "What is so"), lines)
        return any(cause not in HARMLESS for _, cause in counts)


def _possible(console: Console) -> list[Check]:
    if has_crm_source():
        return list(Check)
    console.print("No source is set up, so nothing is compared with Salesforce (CRM_SOURCE).")
    return [check for check in Check if check not in OF_SALESFORCE]


def _targets(entity: str) -> list[str]:
    try:
        return [salesforce_object(entity)] if entity else event_store().entity_names()
    except UnknownNameError as error:
        raise CommandError(str(error)) from error


def _jobs(targets: Sequence[str], checks: Sequence[Check]) -> list[_Job]:
    return [_Job(check, target) for check in checks for target in check_targets(check, targets)]
