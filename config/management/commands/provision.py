"""``manage.py provision``: make or verify what the engines must have."""

import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand
from rich.text import Text

from config.provisioning import DATABASE, PartReport, examine
from config.terminal import Cell, console_for, print_table
from crm_events.ports.provisioning import Condition, Finding

_HEADINGS = ("Part", "Thing", "Condition", "Detail")
_STYLES = {
    Condition.READY: "green",
    Condition.CREATED: "green",
    Condition.CHANGED: "green",
    Condition.UNSUPPORTED: "dim",
    Condition.MISSING: "red",
    Condition.DIFFERENT: "red",
}
_PAUSE_SECONDS = 1.0
_DONE = (Condition.CREATED, Condition.CHANGED)


class Command(BaseCommand):
    """Create or verify tables, indexes, streams, backups, indices, aliases and buses.

    Exit status 0: everything is as it must be. 1: something is missing, differs, or an engine does not answer.
    """

    help = (
        "Make what the engines that settings name must have (tables, indexes, streams, backups, indices, aliases,"
        " buses), safe to repeat. Exit status: 0 all is as it must be, 1 something is missing, differs or is unknown."
    )
    requires_system_checks = ()  # "doctor" tells of those; a one-shot job should do its work

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--check", action="store_true", help="only say how everything stands; change nothing")
        parser.add_argument(
            "--wait", type=float, default=0, metavar="SECONDS", help="wait so long for engines that do not answer yet"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command."""
        reports = _examine(change=not options["check"], seconds=options["wait"])
        console = console_for(self.stdout)
        print_table(console, _HEADINGS, [row for report in reports for row in _rows(report)])
        console.print(_summary(reports), markup=False)
        if any(report.is_faulty for report in reports):
            sys.exit(1)


def _examine(*, change: bool, seconds: float) -> list[PartReport]:
    deadline = time.monotonic() + seconds
    while True:
        reports = examine(change=change)
        if time.monotonic() >= deadline or not any(report.error for report in reports):
            return reports
        time.sleep(_PAUSE_SECONDS)


def _rows(report: PartReport) -> list[Sequence[Cell]]:
    part = f"{report.part} ({report.adapter})" if report.adapter else report.part
    if report.error:
        return [(part, "", Text("unknown", "red"), f"does not answer. {report.error}")]
    if not report.findings:
        return [(part, "tables", Text("migrated", "dim"), f"manage.py migrate makes them, in the {DATABASE}")]
    return [
        (part, found.subject, Text(found.condition, _STYLES[found.condition]), found.detail)
        for found in report.findings
    ]


def _summary(reports: Sequence[PartReport]) -> str:
    findings: list[Finding] = [finding for report in reports for finding in report.findings]
    done = sum(finding.condition in _DONE for finding in findings)
    faults = sum(finding.is_fault for finding in findings)
    silent = sum(bool(report.error) for report in reports)
    said = [f"{done} made or changed" if done else "Nothing was changed"]
    said += [f"{faults} missing or different"] if faults else []
    said += [f"{silent} without an answer"] if silent else []
    return f"{', '.join(said)}." if faults or silent else f"{said[0]}. Everything is as it must be."
