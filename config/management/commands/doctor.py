"""``manage.py doctor``: a traffic light for everything the service needs."""

import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from rich.console import Console
from rich.text import Text

from config.doctor import Diagnosis, Examined, Light, examine_service, worst
from config.doctor.secrets import redact, secrets_of
from config.terminal import Cell, console_for, print_table

_SYMBOLS = {Light.GREEN: "●", Light.AMBER: "▲", Light.RED: "✖"}
_STYLES = {Light.GREEN: "green", Light.AMBER: "yellow", Light.RED: "bold red"}
# Those of monitoring plugins: 0 OK, 1 WARNING, 2 CRITICAL (https://www.monitoring-plugins.org/doc/guidelines.html).
_EXIT_STATUS = {Light.GREEN: 0, Light.AMBER: 1, Light.RED: 2}


class Command(BaseCommand):
    """Say of every part of the service how it stands, and what to do about what is not green."""

    help = (
        "Check configuration, credentials, engines, schema, lag, workers, clock and disk; change nothing."
        " Exit status, as of monitoring plugins: 0 all green, 1 something amber, 2 something red."
    )
    requires_system_checks = ()  # they are one of the checks

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--json", action="store_true", help="print JSON, for programs")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command."""
        examined = examine_service(os.environ, datetime.now(UTC))
        secrets = secrets_of(os.environ, [settings.SECRET_KEY])
        if options["json"]:
            self.stdout.write(redact(_as_json(examined), secrets))
        else:
            _print(examined, secrets, console_for(self.stdout))
        sys.exit(_EXIT_STATUS[worst([line for one in examined for line in one.diagnoses])])


def _as_json(examined: Sequence[Examined]) -> str:
    lines = [
        {
            "group": one.check.group,
            "subject": line.subject,
            "light": line.light,
            "fact": line.fact,
            "next_step": line.next_step,
            "milliseconds": one.milliseconds,
        }
        for one in examined
        for line in one.diagnoses
    ]
    light = worst([line for one in examined for line in one.diagnoses])
    return json.dumps({"light": light, "checks": lines}, indent=2, ensure_ascii=False)


def _print(examined: Sequence[Examined], secrets: Iterable[str], console: Console) -> None:
    pairs = [(one.check.group, line) for one in examined for line in one.diagnoses]
    rows = [_row(group, line, secrets) for group, line in pairs]
    print_table(console, ("", "Group", "About", "What is so, and what to do next"), rows)
    counts = {light: sum(line.light is light for _, line in pairs) for light in Light}
    console.print(", ".join(f"{count} {light}" for light, count in counts.items()) + ".", markup=False)


def _row(group: str, line: Diagnosis, secrets: Iterable[str]) -> list[Cell]:
    light = Text(f"{_SYMBOLS[line.light]} {line.light}", _STYLES[line.light])
    step = line.next_step[:1].lower() + line.next_step[1:]
    end = "" if line.fact.endswith(("?", "!", "…")) else "."
    said = f"{line.fact}{end} Next: {step}" if step else line.fact
    return [light, group, line.subject, redact(said, secrets)]
